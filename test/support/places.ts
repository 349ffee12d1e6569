import type { OnboardingInput } from '../../src/contract/index.js';
import type { FaultEffect, SessionSpec, SimulatedOperation } from '../../src/testing/index.js';
import { handleOf, type Started, stateOf, until } from './lifecycle.js';
import type { TestWorld } from './world.js';

/** All situations in which a message can reach a session. */
export const PLACES = [
  'waiting',
  'in flight',
  'in retry',
  'noToken/waiting',
  'noToken/finishing',
  'noToken/scoring',
  'closing',
  'scoring',
  'inReview',
  'done',
] as const;
export type Place = (typeof PLACES)[number];

interface Way {
  plan?: OnboardingInput['plan'];
  spec?: SessionSpec;
  /** The fault that keeps the session there. */
  fault?: FaultEffect & { operation: SimulatedOperation };
  /** The place that `whereIs` returns. */
  arrivesAt: string;
}

const PROCESSED = { finishWhen: 'processed' } as const;
const TOKEN_REFUSED = { kind: 'status', status: 401 } as const;
/** Twice, by id and without: if Incode refused only the id, the token would belong to another session. */
const TOKEN_REFUSED_TWICE = { ...TOKEN_REFUSED, times: 2 } as const;
const AWAY = { kind: 'status', status: 503, times: null } as const;

const WAYS: Record<Place, Way> = {
  waiting: { plan: PROCESSED, arrivesAt: 'waiting' },
  'in flight': { fault: { operation: 'finishStatus', kind: 'hang' }, arrivesAt: 'finishing' },
  'in retry': { fault: { operation: 'finishStatus', ...AWAY }, arrivesAt: 'finishing' },
  'noToken/waiting': {
    plan: PROCESSED,
    fault: { operation: 'onboardingStatus', ...TOKEN_REFUSED_TWICE },
    arrivesAt: 'noToken/waiting',
  },
  'noToken/finishing': { fault: { operation: 'finishStatus', ...TOKEN_REFUSED }, arrivesAt: 'noToken/finishing' },
  'noToken/scoring': { fault: { operation: 'score', ...TOKEN_REFUSED }, arrivesAt: 'noToken/scoring' },
  closing: { plan: { close: true }, fault: { operation: 'closeSession', ...AWAY }, arrivesAt: 'closing' },
  scoring: { spec: { scoreReadyAfterMs: null }, arrivesAt: 'scoring' },
  inReview: {
    plan: { review: 'wait' },
    spec: { action: 'none', score: { status: 'WARN', value: '61.0' } },
    arrivesAt: 'inReview',
  },
  done: { arrivesAt: 'done' },
};

/** Starts a session and waits until it is there and has called Incode at least once. */
export async function bringTo(world: TestWorld, place: Place): Promise<Started> {
  const { plan, spec = {}, fault, arrivesAt } = WAYS[place];
  const { interviewId, token } = await world.simulator.openSession(spec);
  if (fault) world.simulator.fault({ ...fault, interviewId });
  await world.onboarding.start({ interviewId, sessionToken: token, ...(plan ? { plan } : {}) });
  await untilAt(world, interviewId, arrivesAt);
  await until(() => world.simulator.callsOf(interviewId).length > 0, true);
  return { interviewId, token };
}

/** The session's stage, and in which stage it needs a token. */
export async function whereIs(world: TestWorld, interviewId: string): Promise<string> {
  const { stage, timeline } = await stateOf(world, interviewId);
  if (/^(Cancelled|Failed)/.test(timeline.at(-1)?.event ?? '')) {
    return (await handleOf(world, interviewId).describe()).status.name.toLowerCase();
  }
  const entered = timeline.findLast(({ event }) => event.startsWith('Stage: '))?.event.slice('Stage: '.length);
  return stage === 'needsToken' ? `noToken/${entered}` : stage;
}

export async function untilAt(world: TestWorld, interviewId: string, place: string): Promise<void> {
  await until(() => whereIs(world, interviewId), place);
}
