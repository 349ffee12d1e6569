import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { MAX_DURATION_MS } from '../contract/duration.js';
import { parseStatusChanged } from '../contract/guards.js';
import {
  checkExtendDeadlineInput,
  checkRenewTokenInput,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
  FAILURES,
  type FinishAnswer,
  InvalidInputError,
  type OnboardingState,
  QUERIES,
  type RenewTokenInput,
  SIGNALS,
  type StatusChangedInput,
  UPDATES,
} from '../contract/index.js';
import { guarded, wrongStage } from './failures.js';
import { addEvent, applyStatus, applyWebhookStatus, keepHint, saysMore } from './record.js';
import type { Session } from './session.js';
import { ifReadable, needed, readable } from './unreadable.js';

const finish = defineUpdate<FinishAnswer | null>(UPDATES.finish);
const renewToken = defineUpdate<void, [RenewTokenInput]>(UPDATES.renewToken);
const extendDeadline = defineUpdate<ExtendedDeadline, [ExtendDeadlineInput]>(UPDATES.extendDeadline);
const renewTokenSignal = defineSignal<[RenewTokenInput]>(SIGNALS.renewToken);
const statusChanged = defineSignal<[StatusChangedInput]>(SIGNALS.statusChanged);
const state = defineQuery<OnboardingState>(QUERIES.state);

/** Workflows that received a webhook before this version keep their old behavior. */
const HINTS = 'webhooks-are-hints';

/** Registers every update, signal and query of a session. Validators must be synchronous, because the SDK does not await them. */
export function handleMessages(session: Session): void {
  setHandler(finish, () => finishAnswer(session), { validator: () => checkFinish(session) });
  setHandler(renewToken, (input) => acceptToken(session, needed(input)), {
    validator: (input) => checkToken(session, input),
  });
  setHandler(extendDeadline, (input) => extend(session, needed(input)), {
    validator: (input) => void extendedDeadline(session, input),
  });
  setHandler(
    renewTokenSignal,
    ifReadable(SIGNALS.renewToken, (input) => acceptSignaledToken(session, input)),
  );
  setHandler(
    statusChanged,
    ifReadable(SIGNALS.statusChanged, (input) => acceptStatus(session, input)),
  );
  setHandler(state, () => session.state());
}

/** Refuses an update that arrives together with an invalid input with the input's error, not with "workflow completed". */
export function refuseMessages(reason: unknown): void {
  const refuse = (): void => {
    throw reason;
  };
  setHandler(finish, () => null, { validator: refuse });
  setHandler(renewToken, (_: RenewTokenInput) => undefined, { validator: (_: RenewTokenInput) => refuse() });
  setHandler(extendDeadline, (_: ExtendDeadlineInput) => ({ deadline: '' }), {
    validator: (_: ExtendDeadlineInput) => refuse(),
  });
}

/**
 * Temporal allows ten unfinished updates of a workflow. This limit leaves room for `renewToken`, without which the waiting `finish`
 * updates might never get an answer.
 */
const MAX_WAITING_FINISHES = 6;

function checkFinish({ record, waitingFinishes, input }: Session): void {
  if (record.answer !== null || waitingFinishes < MAX_WAITING_FINISHES) return;
  throw ApplicationFailure.create({
    type: FAILURES.tooManyWaiting,
    message:
      `Session ${input.interviewId}: ${waitingFinishes} updates ${UPDATES.finish} already wait for Incode's answer. ` +
      `Use the update id "${UPDATES.finish}" to share one of them, or wait for the workflow's result.`,
    nonRetryable: true,
    details: [{ interviewId: input.interviewId }],
  });
}

async function finishAnswer(session: Session): Promise<FinishAnswer | null> {
  const { record } = session;
  if (!record.asked && record.answer === null) addEvent(record, 'Asked to finish');
  record.asked = true;
  session.waitingFinishes += 1;
  await condition(() => record.answer !== null || session.failure !== undefined);
  session.waitingFinishes -= 1;
  if (record.answer) return record.answer.finish;
  throw session.failure;
}

function checkToken(session: Session, input: RenewTokenInput): void {
  guarded(() => {
    const { sessionToken } = checkRenewTokenInput(readable('renewToken', input));
    if (sessionToken === session.record.refusedToken) {
      throw new InvalidInputError('sessionToken', 'is the one that Incode refused; get a fresh one');
    }
  });
  if (session.stage === 'done') throw wrongStage(session, 'it needs no token any more');
}

function acceptToken(session: Session, { sessionToken }: RenewTokenInput): void {
  const { record } = session;
  record.token = sessionToken;
  record.isTokenIssued = false;
  record.unprovenSince = null;
  addEvent(record, 'A session token was handed in');
  session.askingTokenSource?.cancel();
}

/** A signal has no answer, so the reason for a refusal is logged. */
function acceptSignaledToken(session: Session, input: RenewTokenInput): void {
  try {
    checkToken(session, input);
  } catch (error) {
    log.warn(`Ignored the signal ${SIGNALS.renewToken}: ${(error as Error).message}`);
    return;
  }
  acceptToken(session, input);
}

function extendedDeadline(session: Session, input: ExtendDeadlineInput): number {
  const { deadline } = session.record;
  const by = guarded(() => checkExtendDeadlineInput(readable('extendDeadline', input)));
  if (deadline === null) throw wrongStage(session, 'it has no deadline; waiting, scoring and inReview have one');
  return guarded(() => {
    if (deadline + by <= Date.now() + MAX_DURATION_MS) return deadline + by;
    throw new InvalidInputError('extendDeadline.by', 'must not move the deadline further than ten years from now');
  });
}

function extend(session: Session, input: ExtendDeadlineInput): ExtendedDeadline {
  const { record } = session;
  record.deadline = extendedDeadline(session, input);
  const deadline = new Date(record.deadline).toISOString();
  addEvent(record, `Deadline moved to ${deadline}`);
  session.boundByDeadline?.cancel();
  session.publish();
  return { deadline };
}

/** Ignores an invalid argument, because a signal cannot be refused. */
function acceptStatus(session: Session, input: unknown): void {
  const onboardingStatus = parseStatusChanged(input, session.input.interviewId);
  if (onboardingStatus === undefined) return;
  const { record } = session;
  const isFirst = applyWebhookStatus(record, onboardingStatus);
  if (!saysMore(record, onboardingStatus)) return;
  if (patched(HINTS)) {
    keepHint(record, onboardingStatus);
  } else if (isFirst && isSpelledAsDocumented(input)) {
    applyStatus(record, onboardingStatus, 'webhook');
    session.publish();
  }
}

/** Earlier versions ignored other spellings, and a replay of their workflows must do the same. */
function isSpelledAsDocumented(input: unknown): boolean {
  return /^[A-Z0-9_]+$/.test(String((input as StatusChangedInput).onboardingStatus));
}
