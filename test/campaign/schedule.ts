import type { BatchPlan, Plan } from '../../src/contract/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { anyFault, outageEffect } from './faults.js';
import {
  changesOfImages,
  lifeOfPerson,
  plannedPeople,
  plannedPerson,
  sayTo,
  sharingPeople,
} from './people-schedule.js';
import { type Random, randomFrom } from './random.js';
import type { Node, ServerKind } from './servers.js';
import type {
  Action,
  BatchAction,
  ClusterAction,
  PlannedBatch,
  PlannedPeople,
  PlannedSession,
  Schedule,
  SessionAction,
  WorldAction,
} from './types.js';
import { OTHER, SECRET_MARKS } from './types.js';

export interface ScheduleOptions {
  seed: number;
  seconds: number;
  /** Single sessions per second. @default 5, which a loaded machine with two cores can handle */
  perSecond?: number;
  /** People who are started singly per second. @default 0.8 */
  peoplePerSecond?: number;
  /** Decides which faults of the server there are. @default local */
  server?: ServerKind;
  /** A folder with an older server. The campaign starts its cluster with it, and upgrades it in the middle. */
  upgradeFrom?: string | undefined;
}

/** A list of people for so many seconds, and one list at least. */
const SECONDS_PER_LIST = 20;

/** In a shorter campaign, the command is left out, because it may last two minutes longer. */
const SECONDS_FOR_COMMAND = 60;

/** Creates the schedule of a campaign from its seed. */
export function scheduleOf(options: ScheduleOptions): Schedule {
  const { seed, seconds, perSecond = 5, peoplePerSecond = 0.8, server = 'local' } = options;
  const random = randomFrom(seed);
  const lastMs = seconds * 1_000;
  const tokenSource = random.chance(0.5);
  const schedule: Schedule = {
    ...{ seed, seconds, server, perSecond, tokenSource },
    ...{ sessions: [], batches: [], people: [], lists: [], actions: [] },
  };
  for (let index = 0; index < seconds * perSecond; index += 1) {
    const own = random.fork(`session ${index}`);
    const session = singleSession(own, `s${seed}-${index}`);
    schedule.sessions.push(session);
    schedule.actions.push(...lifeOf(own, session, own.between(0, lastMs), lastMs));
  }
  for (let index = 0; index < Math.max(2, seconds / 8); index += 1) {
    const own = random.fork(`batch ${index}`);
    const batch = plannedBatch(own, `b${seed}-${index}`);
    schedule.batches.push(batch);
    const startMs = own.between(0, lastMs / 2);
    schedule.actions.push(...lifeOfList(own, batch, startMs, lastMs));
    const others = random.fork(`other of batch ${index}`);
    if (!others.chance(0.5)) continue;
    const other = sharingBatch(others, batch);
    schedule.batches.push(other);
    schedule.actions.push(...lifeOfList(others, other, startMs + others.between(0, 1_500), lastMs));
  }
  addPeople(schedule, random.fork('people'), lastMs, peoplePerSecond);
  schedule.actions.push(...worldActions(random.fork('world'), lastMs, server));
  if (options.upgradeFrom !== undefined)
    schedule.actions.push({ atMs: Math.round(lastMs / 2), to: 'world', kind: 'upgradeServer' });
  schedule.actions.sort((a, b) => a.atMs - b.atMs);
  return schedule;
}

function addPeople(schedule: Schedule, random: Random, lastMs: number, perSecond: number): void {
  const { seed, seconds, people, lists, actions } = schedule;
  for (let index = 0; index < seconds * perSecond; index += 1) {
    const own = random.fork(`person ${index}`);
    const person = plannedPerson(own, `p${seed}-${index}`);
    people.push(person);
    // Early enough that most faults of processes meet them.
    actions.push(...lifeOfPerson(own, person, own.between(0, lastMs * 0.8), lastMs));
  }
  for (let index = 0; index < Math.max(1, seconds / SECONDS_PER_LIST); index += 1) {
    const own = random.fork(`list ${index}`);
    const list = plannedPeople(own, `l${seed}-${index}`, seconds >= SECONDS_FOR_COMMAND);
    const startMs = own.between(0, lastMs / 2);
    lists.push(list);
    actions.push(...lifeOfList(own, list, startMs, lastMs));
    for (const { reference } of list.people)
      actions.push(...changesOfImages(own, sayTo(own, reference, lastMs), startMs));
    const others = random.fork(`other of list ${index}`);
    if (!others.chance(0.5)) continue;
    const other = sharingPeople(others, list);
    lists.push(other);
    actions.push(...lifeOfList(others, other, startMs + others.between(0, 1_500), lastMs));
  }
}

function singleSession(random: Random, interviewId: string): PlannedSession {
  const itsPlan = plan(random);
  const { scoreDeadline, ...session } = plannedSession(random, interviewId);
  return { ...session, plan: { ...itsPlan, ...(scoreDeadline ? { scoreDeadline } : {}) } };
}

/** The parts of a session that do not depend on whether it is single or in a batch. */
function plannedSession(
  random: Random,
  interviewId: string,
): Omit<PlannedSession, 'plan'> & { scoreDeadline: string | undefined } {
  const faults = random.chance(0.75) ? random.between(1, 4) : 0;
  const { spec, scoreDeadline } = specAndDeadline(random);
  return {
    interviewId,
    spec: { ...spec, interviewId },
    scoreDeadline,
    token: random.pick(['valid', 'valid', 'valid', 'valid', 'valid', 'revoked', 'none']),
    faults: Array.from({ length: faults }, () => ({ ...anyFault(random), interviewId })),
  };
}

function plan(random: Random): Plan {
  return {
    finishWhen: random.pick(['now', 'now', 'now', 'processed', 'asked']),
    close: random.chance(0.3),
    score: random.chance(0.7),
    review: random.pick(['report', 'wait']),
    ...(random.chance(0.25) ? { captureDeadline: `${random.between(1, 6)}s` } : {}),
    ...(random.chance(0.25) ? { reviewDeadline: `${random.between(1, 6)}s` } : {}),
  };
}

function specAndDeadline(random: Random): { spec: SessionSpec; scoreDeadline: string | undefined } {
  const action = random.pick(['approved', 'approved', 'rejected', 'none', 'somethingNew']);
  const status = random.pick(['OK', 'OK', 'FAIL', 'WARN', 'MANUAL_PENDING', 'UNKNOWN', 'NEW_STATUS']);
  const isNeverReady = status === 'UNKNOWN' || random.chance(0.05);
  // With the default the campaign would take a quarter of an hour.
  const scoreDeadline = isNeverReady || random.chance(0.1) ? `${random.between(1, 4)}s` : undefined;
  const spec: SessionSpec = {
    action,
    redirectionUrl: random.chance(0.7) ? `https://bank.example/welcome?${SECRET_MARKS.redirection}` : '',
    score: { status, value: '50.0' },
    ...(isNeverReady
      ? { scoreReadyAfterMs: null }
      : random.chance(0.3)
        ? { scoreReadyAfterMs: random.between(1, 3_000) }
        : {}),
    ...(random.chance(0.5) ? { processedAfterMs: random.between(0, 5_000) } : {}),
    ...(random.chance(0.08) ? { expiresAfterMs: random.between(0, 6_000) } : {}),
    ...(random.chance(0.4)
      ? { manualReview: { verdict: random.pick(['APPROVED', 'REJECTED']), afterMs: random.between(0, 4_000) } }
      : {}),
    ...(random.chance(0.5) ? { flowId: 'flow', externalCustomerId: 'customer' } : {}),
  };
  return { spec, scoreDeadline };
}

/** The messages to a session after its start, in random order and mostly in quick succession. */
const MESSAGES: readonly [SessionAction, ...SessionAction[]] = [
  ...(['startAgain', 'startAgain', 'finish', 'finish', 'renewToken', 'extendDeadline', 'statusChanged'] as const),
  ...(['statusChanged', 'repeatWebhook', 'repeatWebhook', 'askState', 'expireToken'] as const),
  ...(['cancel', 'terminate', 'restart', 'resetWorkflow', 'resetActivity', 'pauseActivity'] as const),
];

function lifeOf(random: Random, { interviewId }: PlannedSession, startMs: number, lastMs: number): Action[] {
  const say = (atMs: number, kind: SessionAction): Action => ({
    atMs: Math.min(Math.max(0, Math.round(atMs)), lastMs),
    to: 'session',
    interviewId,
    kind,
    choice: random.next(),
  });
  const actions = [say(startMs, random.pick(['start', 'start', 'start', 'finish']))];
  if (random.chance(0.2)) actions.push(say(startMs - random.between(1, 1_000), 'statusChanged'));
  for (let count = random.pick([0, 0, 1, 1, 2, 3, 5]); count > 0; count -= 1) {
    const kind = random.pick(MESSAGES);
    // Half of them while the first calls are in flight.
    const atMs = startMs + random.between(0, random.chance(0.5) ? 400 : 6_000);
    actions.push(say(atMs, kind));
    if (kind === 'pauseActivity') actions.push(say(atMs + random.between(100, 2_000), 'unpauseActivity'));
    // A caller may restart an onboarding that it cancelled.
    if (kind === 'cancel' || kind === 'terminate') {
      if (random.chance(0.6)) actions.push(say(atMs + random.between(0, 1_500), random.pick(['startAgain', 'finish'])));
    }
  }
  return actions;
}

function plannedBatch(random: Random, batchId: string): PlannedBatch {
  const itsPlan: BatchPlan = { close: random.chance(0.3), score: random.chance(0.6), scoreDeadline: '3s' };
  const sessions = Array.from({ length: random.between(10, 60) }, (_, index): PlannedSession => {
    const { scoreDeadline: _own, ...session } = plannedSession(random.fork(String(index)), `${batchId}-${index}`);
    return { ...session, plan: itsPlan };
  });
  return { batchId, sessions, plan: itsPlan, ...programAndSize(random) };
}

function programAndSize(random: Random): Pick<PlannedBatch, 'by' | 'shardSize'> {
  const by = random.pick<PlannedBatch['by']>(['library', 'library', 'cli']);
  // The command uses shards of 2,000 sessions.
  return { by, shardSize: by === 'cli' ? 2_000 : random.between(5, 30) };
}

/** Another list with some of the batch's sessions, in the reverse order. */
function sharingBatch(random: Random, { batchId, sessions, plan }: PlannedBatch): PlannedBatch {
  const shared = sessions.filter(() => random.chance(0.7)).reverse();
  return {
    batchId: `${batchId}${OTHER}`,
    sessions: shared.length > 0 ? shared : sessions,
    plan,
    ...programAndSize(random),
  };
}

const BATCH_MESSAGES: readonly [BatchAction, ...BatchAction[]] = [
  ...(['detach', 'detach', 'pause', 'resume', 'stop', 'cancelShard', 'terminateShard'] as const),
  ...(['resetShard', 'resetActivityOfShard'] as const),
];

function lifeOfList(
  random: Random,
  { batchId }: PlannedBatch | PlannedPeople,
  startMs: number,
  lastMs: number,
): Action[] {
  const say = (atMs: number, kind: BatchAction): Action => ({
    atMs: Math.min(atMs, lastMs),
    to: 'batch',
    batchId,
    kind,
    choice: random.next(),
  });
  const actions = [say(startMs, 'run')];
  for (let count = random.between(0, 3); count > 0; count -= 1) {
    const kind = random.pick(BATCH_MESSAGES);
    const atMs = startMs + random.between(100, 5_000);
    actions.push(say(atMs, kind));
    if (kind === 'pause') actions.push(say(atMs + random.between(100, 3_000), 'resume'));
  }
  return actions;
}

/** The interval of each kind of fault in seconds. The first comes early, so that a short campaign has all kinds. */
const WORLD: [everyMs: number, action: (random: Random) => WorldAction][] = [
  [
    7_000,
    (random) => ({ kind: 'killWorker', slots: random.pick([[0], [1], [0, 1]]), downMs: random.between(0, 3_000) }),
  ],
  [11_000, (random) => ({ kind: 'deployWorker', slots: random.pick([[0], [1]]), downMs: random.between(0, 500) })],
  [15_000, (random) => ({ kind: 'killServer', downMs: random.between(0, 2_500) })],
  [9_000, (random) => ({ kind: 'killReceiver', downMs: random.between(0, 3_000) })],
  [20_000, () => ({ kind: 'restartReceiver', downMs: 0 })],
  [6_000, (random) => ({ kind: 'outage', effect: outageEffect(random), calls: random.between(5, 60) })],
  [25_000, (random) => ({ kind: 'wrongApiKey', forMs: random.between(100, 600) })],
  [12_000, (random) => ({ kind: 'rateLimit', forMs: random.between(500, 3_000), perSecond: random.between(5, 40) })],
  [14_000, (random) => ({ kind: 'losesWebhooks', forMs: random.between(500, 4_000) })],
  [13_000, () => ({ kind: 'list' })],
  [
    10_000,
    (random) => ({
      kind: 'freezeWorker',
      slots: random.pick([[0], [1]]),
      // Below and above the heartbeat timeout of 10 s, and as long as a live migration of a machine.
      forMs: random.chance(0.3) ? 40_000 : random.between(500, 15_000),
    }),
  ],
  [
    9_000,
    (random) => ({ kind: 'documentRateLimit', forMs: random.between(500, 3_000), perSecond: random.between(1, 8) }),
  ],
  [
    25_000,
    (random) => ({
      kind: 'partition',
      slots: random.pick([[0], [1], [0, 1]]),
      how: random.pick(['stall', 'cut']),
      // Below and above the time after which the SDK gives a silent connection up.
      forMs: random.chance(0.2) ? 50_000 : random.between(500, 12_000),
    }),
  ],
];

/** Matching and frontend have one node each here: without it nothing goes on, which is worse than in production. */
const anyNode = (random: Random): Node =>
  random.pick<Node>(['history1', 'history2', 'history1', 'history2', 'matching', 'frontend']);

/** As `WORLD`, for a cluster. */
const CLUSTER: [everyMs: number, action: (random: Random) => ClusterAction][] = [
  [20_000, (random) => ({ kind: 'killNode', node: anyNode(random), downMs: random.between(0, 8_000) })],
  [45_000, (random) => ({ kind: 'restartNode', node: anyNode(random), downMs: random.between(0, 2_000) })],
  [
    25_000,
    // Other nodes take the shards of a history node over after about ten seconds.
    (random) => ({ kind: 'freezeNode', node: anyNode(random), forMs: random.between(500, 20_000) }),
  ],
  [80_000, (random) => ({ kind: 'restartDatabase', downMs: random.between(0, 3_000) })],
  [90_000, (random) => ({ kind: 'killDatabase', downMs: random.between(0, 3_000) })],
  [150_000, (random) => ({ kind: 'killAllNodes', downMs: random.between(0, 3_000) })],
  [
    70_000,
    (random) => ({
      kind: 'expiredCertificate',
      slots: random.pick([[0], [1], [0, 1]]),
      forMs: random.between(1_000, 8_000),
    }),
  ],
];

/** A key is added, then used to encrypt, and never removed, because old payloads need it. */
const ROTATE_EVERY_MS = 16_000;

function worldActions(random: Random, lastMs: number, server: ServerKind): Action[] {
  const actions: Action[] = [];
  const cluster = server === 'cluster' ? CLUSTER : [];
  for (const [index, [everyMs, make]] of [...WORLD, ...cluster].entries()) {
    const own = random.fork(String(index));
    for (let atMs = own.between(0, everyMs); atMs < lastMs; atMs += own.between(everyMs / 2, everyMs * 1.5)) {
      actions.push({ atMs: Math.round(atMs), to: 'world', ...make(own) });
    }
  }
  for (let atMs = 1_000; atMs < lastMs; atMs += ROTATE_EVERY_MS) {
    actions.push({ atMs, to: 'world', kind: 'addKey' });
    actions.push({ atMs: atMs + random.between(200, 7_000), to: 'world', kind: 'useKey' });
    // Only after every process knows the current key. Otherwise payloads could not be read, which would be an operator's mistake.
    actions.push({ atMs: atMs + 14_000, to: 'world', kind: 'brokenKeysFile', forMs: 500 });
  }
  const isPossible = (action: Action) => server === 'local' || action.kind !== 'killServer';
  return actions.filter((action) => action.atMs < lastMs && isPossible(action));
}
