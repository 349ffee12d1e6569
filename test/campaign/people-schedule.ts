import type { CapturePlan, ImageSide } from '../../src/contract/index.js';
import type { Fault, FaultEffect, SimulatedOperation } from '../../src/testing/index.js';
import { effectOn } from './faults.js';
import type { Random } from './random.js';
import type { Action, PersonAction, PlannedPeople, PlannedPerson } from './types.js';
import { OTHER } from './types.js';

/** The calls that a worker makes for a person until the session can be finished. */
const OPERATIONS: readonly [SimulatedOperation, ...SimulatedOperation[]] = [
  ...(['start', 'start', 'start', 'addFrontId', 'addBackId', 'processId', 'processId'] as const),
  ...(['isFinished', 'addFace', 'processFace', 'governmentValidation', 'watchlist'] as const),
  ...(['finishStatus', 'onboardingStatus', 'score'] as const),
];

export function plannedPerson(
  random: Random,
  reference: string,
  plan: CapturePlan = personPlan(random),
): PlannedPerson {
  const sides: ImageSide[] = ['front'];
  if (random.chance(0.85)) sides.push('back');
  if (random.chance(0.85)) sides.push('selfie');
  const faults = random.chance(0.75) ? random.between(1, 3) : 0;
  return {
    reference,
    sides,
    hasDigests: random.chance(0.5),
    simulate: random.pick(['approved', 'approved', 'rejected', 'review', 'slow', 'reviewApproved']),
    answer: random.chance(0.3)
      ? random.pick(['refusedFront', 'refusedBack', 'refusedSelfie', 'passport', 'notProcessed'])
      : null,
    plan,
    faults: Array.from({ length: faults }, () => ({ ...anyFault(random), externalCustomerId: reference })),
  };
}

function anyFault(random: Random): Fault {
  const operation = random.pick(OPERATIONS);
  const effect = effectOn(random, operation);
  const common = { operation, times: random.pick([1, 1, 1, 2]) };
  // A refused start has opened no session: docs/capture.md rests on that.
  if (operation !== 'start' || !isRefusal(effect)) return { ...common, ...effect };
  return { ...common, ...effect, effect: false };
}

function isRefusal(effect: FaultEffect): effect is FaultEffect & { kind: 'status' | 'redirect' } {
  return effect.kind === 'redirect' || (effect.kind === 'status' && effect.status < 500 && effect.status !== 408);
}

function personPlan(random: Random): CapturePlan {
  return {
    onRefusedImage: random.pick(['continue', 'wait', 'wait', 'fail']),
    // Above Incode's limit for a request.
    findSessionWithin: random.pick(['1s', '2s', '4s']),
    government: random.chance(0.2),
    watchlist: random.chance(0.2),
    close: random.chance(0.3),
    score: random.chance(0.7),
    review: random.pick(['report', 'wait']),
    ...(random.chance(0.15) ? { imageDeadline: `${random.between(1, 6)}s` } : {}),
  };
}

/** Messages after the start, in random order. */
const MESSAGES: readonly [PersonAction, ...PersonAction[]] = [
  ...(['startAgain', 'startAgain', 'repeatStarted', 'repeatStarted', 'expireToken', 'expireToken'] as const),
  ...(['askState', 'replaceImage', 'cancel', 'terminate', 'endSession', 'restart', 'restart'] as const),
  ...(['resetWorkflow', 'resetActivity', 'pauseActivity'] as const),
];

const CHANGES_OF_IMAGES: readonly [PersonAction, ...PersonAction[]] = ['loseImage', 'changeImage', 'truncateImage'];

export function lifeOfPerson(random: Random, { reference }: PlannedPerson, startMs: number, lastMs: number): Action[] {
  const say = sayTo(random, reference, lastMs);
  const actions = [say(startMs, 'start'), ...changesOfImages(random, say, startMs)];
  for (let count = random.pick([0, 0, 1, 1, 2, 3]); count > 0; count -= 1) {
    const kind = random.pick(MESSAGES);
    const atMs = startMs + random.between(0, random.chance(0.5) ? 800 : 6_000);
    actions.push(say(atMs, kind));
    if (kind === 'pauseActivity') actions.push(say(atMs + random.between(100, 2_000), 'unpauseActivity'));
    if (kind === 'cancel' || kind === 'terminate') {
      if (random.chance(0.6)) actions.push(say(atMs + random.between(0, 1_500), 'restart'));
    }
  }
  return actions;
}

/** Most of them while the images are read or uploaded. */
export function changesOfImages(random: Random, say: Say, startMs: number): Action[] {
  if (!random.chance(0.3)) return [];
  return [say(startMs + random.between(-200, 1_500), random.pick(CHANGES_OF_IMAGES))];
}

type Say = (atMs: number, kind: PersonAction) => Action;

export function sayTo(random: Random, reference: string, lastMs: number): Say {
  return (atMs, kind) => ({
    atMs: Math.min(Math.max(0, Math.round(atMs)), lastMs),
    to: 'person',
    reference,
    kind,
    choice: random.next(),
  });
}

/** @param mayUseCommand whether the command may run the list; it waits for lost sessions for two minutes */
export function plannedPeople(random: Random, batchId: string, mayUseCommand: boolean): PlannedPeople {
  const { findSessionWithin, ...rest } = personPlan(random);
  const by = mayUseCommand && random.chance(0.3) ? 'cli' : 'library';
  const plan = by === 'cli' ? rest : { ...rest, ...(findSessionWithin === undefined ? {} : { findSessionWithin }) };
  const people = Array.from({ length: random.between(6, 14) }, (_, index) =>
    plannedPerson(random.fork(String(index)), `${batchId}-${index}`, plan),
  );
  // The command uses shards of 200 people.
  return { batchId, people, plan, by, shardSize: by === 'cli' ? 200 : random.between(3, 10) };
}

/** Another list with some of the people, in the reverse order. */
export function sharingPeople(random: Random, { batchId, people, plan }: PlannedPeople): PlannedPeople {
  const shared = people.filter(() => random.chance(0.7)).reverse();
  return {
    batchId: `${batchId}${OTHER}`,
    people: shared.length > 0 ? shared : people,
    plan,
    by: 'library',
    shardSize: random.between(3, 10),
  };
}
