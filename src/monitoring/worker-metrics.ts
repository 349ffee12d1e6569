import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ActivityEvent } from '../activities/index.js';
import type { IncodeCall, IncodeOperation } from '../incode/index.js';
import type { PeopleCounts, SessionCounts } from './session-counts.js';

/** A read takes well under a second. finish-status takes up to 30 s, when Incode gives up. */
const SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45];

// Keys of typed objects, so that the compiler reports a missing one.
const OPERATIONS = Object.keys({
  finishStatus: 0,
  onboardingStatus: 0,
  score: 0,
  closeSession: 0,
  start: 0,
  logIn: 0,
  addFrontId: 0,
  addBackId: 0,
  processId: 0,
  isFinished: 0,
  addFace: 0,
  processFace: 0,
  governmentValidation: 0,
  watchlist: 0,
  ocrData: 0,
  deleteImages: 0,
  deleteSession: 0,
} satisfies Record<IncodeOperation, 0>);
const OUTCOMES = Object.keys({
  ok: 0,
  badRequest: 0,
  unknownSession: 0,
  methodNotAllowed: 0,
  notAcceptable: 0,
  tokenRefused: 0,
  apiKeyRefused: 0,
  misconfigured: 0,
  notTaken: 0,
  resultUnknown: 0,
  maybeRunning: 0,
} satisfies Record<IncodeCall['outcome'], 0>);

/** Problems after which a worker reads the image again. */
const IMAGE_PROBLEMS = Object.keys({
  truncated: 0,
  unreadable: 0,
  denied: 0,
  slow: 0,
  unavailable: 0,
  noSource: 0,
  noPlace: 0,
} satisfies Partial<Record<Extract<ActivityEvent, { type: 'imageNotReady' }>['problem'], 0>>);

interface WorkerMetrics {
  onCall(call: IncodeCall): void;
  observe(event: ActivityEvent): void;
  /** @param counts `undefined` if they are unknown now */
  sessions(counts: SessionCounts | undefined): void;
  people(counts: PeopleCounts | undefined): void;
}

/** `docs/monitoring.md` explains each metric. No label contains a session's id, because every value would be a permanent series. */
export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'incode_requests_total',
    help: 'Completed requests to Incode, by operation and outcome: ok, or the kind of error.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const responses = new Counter({
    name: 'incode_responses_total',
    help: 'Responses of Incode, or of a proxy in front of it, by HTTP status.',
    labelNames: ['status'],
    registers,
  });
  const duration = new Histogram({
    name: 'incode_request_duration_seconds',
    help: 'Duration of requests to Incode, including the wait for a free connection.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  });
  const ambiguous = new Counter({
    name: 'incode_finish_ambiguous_total',
    help: 'Finish requests with unknown result, by kind of error.',
    labelNames: ['outcome'],
    registers,
  });
  const verifications = new Counter({
    name: 'incode_finish_verifications_total',
    help: 'Status reads before finishing a session, by result.',
    labelNames: ['result'],
    registers,
  });
  const prevented = new Counter({
    name: 'incode_finish_duplicates_prevented_total',
    help: 'Sessions that were not finished again, because the status read showed that they are finished.',
    registers,
  });
  const unconfirmed = new Counter({
    name: 'incode_finish_unconfirmed_total',
    help: 'Sessions that ended as unconfirmed: a finish request may have taken effect, and the status did not confirm it.',
    registers,
  });
  const notConfirmed = new Counter({
    name: 'incode_finish_not_confirmed_total',
    help: 'Sessions that Incode answered as finished, but whose status by id does not say so.',
    registers,
  });
  const mismatches = new Counter({
    name: 'incode_token_mismatches_total',
    help: 'Session tokens that belong to another session and were not used.',
    registers,
  });
  const orphans = new Counter({
    name: 'incode_suspected_orphans_total',
    help: 'Sessions that a request with a lost answer may have opened, and that were not found before another one was opened.',
    registers,
  });
  const imagesNotReady = new Counter({
    name: 'incode_images_not_ready_total',
    help: 'Attempts to read an image that failed and are repeated, by problem.',
    labelNames: ['problem'],
    registers,
  });
  const executiveRefused = new Counter({
    name: 'incode_executive_refused_total',
    help: 'Calls that wait because Incode refuses the executive user or token.',
    registers,
  });
  const hints = new Counter({
    name: 'incode_webhook_hints_total',
    help: "Webhooks that were checked against Incode's status, by result.",
    labelNames: ['result'],
    registers,
  });
  const batchSessions = new Counter({
    name: 'incode_batch_sessions_total',
    help: 'Completed sessions of batches, by result.',
    labelNames: ['result'],
    registers,
  });
  const postponedSessions = new Counter({
    name: 'incode_batch_sessions_postponed_total',
    help: 'Attempts at sessions of batches that must be repeated, or wait for the score.',
    registers,
  });
  const held = new Gauge({
    name: 'incode_batch_held',
    help: '1 while this worker starts no session of a batch because Incode fails.',
    registers,
  });
  const sessions = new Gauge({
    name: 'incode_sessions',
    help: 'Open sessions of the namespace, by stage. Every worker counts once a minute.',
    labelNames: ['stage'],
    registers,
  });
  const people = new Gauge({
    name: 'incode_people',
    help: 'Open people from images of the namespace, by stage. Every worker counts once a minute.',
    labelNames: ['stage'],
    registers,
  });

  // Series start at zero, so that the first failure of its kind is an increase and not a new series.
  for (const operation of OPERATIONS) for (const outcome of OUTCOMES) requests.inc({ operation, outcome }, 0);
  for (const operation of OPERATIONS) duration.zero({ operation });
  for (const outcome of ['resultUnknown', 'maybeRunning']) ambiguous.inc({ outcome }, 0);
  for (const result of ['finished', 'expired', 'open', 'unclear']) verifications.inc({ result }, 0);
  for (const result of ['confirmed', 'contradicted', 'unconfirmed']) hints.inc({ result }, 0);
  for (const problem of IMAGE_PROBLEMS) imagesNotReady.inc({ problem }, 0);
  for (const result of ['finished', 'expired', 'failed']) batchSessions.inc({ result }, 0);

  return {
    onCall({ operation, outcome, httpStatus, durationMs }) {
      requests.inc({ operation, outcome });
      if (httpStatus !== undefined) responses.inc({ status: httpStatus });
      duration.observe({ operation }, durationMs / 1_000);
    },

    observe(event) {
      switch (event.type) {
        case 'ambiguousFinish':
          return ambiguous.inc({ outcome: event.kind });
        case 'verification':
          if (event.result === 'finished') prevented.inc();
          return verifications.inc({ result: event.result });
        case 'unconfirmedFinish':
          return unconfirmed.inc();
        case 'notConfirmed':
          return notConfirmed.inc();
        case 'tokenMismatch':
          return mismatches.inc();
        case 'suspectedOrphan':
          return orphans.inc();
        case 'imageNotReady':
          return imagesNotReady.inc({ problem: event.problem });
        case 'executiveRefused':
          return executiveRefused.inc();
        case 'hint':
          return hints.inc({ result: event.result });
        case 'batchSession':
          return event.result === 'postponed' ? postponedSessions.inc() : batchSessions.inc({ result: event.result });
        case 'batchHeld':
          return held.set(event.held ? 1 : 0);
        default:
          event satisfies never;
      }
    },

    sessions: (counts) => setStages(sessions, counts),
    people: (counts) => setStages(people, counts),
  };
}

function setStages(gauge: Gauge<'stage'>, counts: Record<string, number> | undefined): void {
  // An unknown count is removed, because an old number would look current.
  if (counts === undefined) gauge.reset();
  for (const [stage, count] of Object.entries(counts ?? {})) gauge.set({ stage }, count);
}
