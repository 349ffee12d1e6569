import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatedOperation, SimulatorBehavior } from '../../../src/testing/index.js';
import { type CaptureWorld, startCaptureWorld } from '../../support/capture-world.js';
import { attemptsOf, failedTasks } from '../../support/history.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.setBehavior({ secondProcessId: 'refused', secondProcessIdStatus: 400, statusLagMs: 0 });
});

const PLAN = { government: true, watchlist: true } as const;

/** The uploads of a session, where a repeat after a lost answer is one more stored image. */
const CALLS: [operation: SimulatedOperation, activity: string, repeatedUpload?: string][] = [
  ['addFrontId', 'uploadFront', 'front'],
  ['addBackId', 'uploadBack', 'back'],
  ['processId', 'processId'],
  ['isFinished', 'awaitProcessed'],
  ['addFace', 'uploadSelfie', 'face'],
  ['processFace', 'processFace'],
  ['governmentValidation', 'governmentValidation'],
  ['watchlist', 'watchlist'],
];

describe.each([
  ['before', false],
  ['after', true],
])('an answer that is lost %s its effect', (_, effect) => {
  it.each(CALLS)('a lost answer of %s costs a repeat and nothing else', async (operation, activity, repeatedUpload) => {
    world.simulator.fault({ operation, kind: 'reset', effect });
    const handle = await world.start(await world.person({ plan: PLAN }));
    const { interviewId, onboarding, idProcessed, suspectedOrphans } = await handle.result();
    expect({ outcome: onboarding?.outcome, idProcessed, suspectedOrphans }).toEqual({
      outcome: 'approved',
      idProcessed: true,
      suspectedOrphans: [],
    });
    const history = await handle.fetchHistory();
    expect(attemptsOf(history, activity)).toBeGreaterThan(1);
    expect(failedTasks(history)).toEqual([]);
    const { attempts, processed } = world.simulator.captures(interviewId);
    const once = { front: 1, back: 1, face: 1 };
    expect(attempts).toEqual(effect && repeatedUpload ? { ...once, [repeatedUpload]: 2 } : once);
    expect(processed.id).toBe(1);
    expect(processed.government).toBe(1);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('process/id whose answer is lost', () => {
  it('is processed once if Incode refuses the repeat in unknown words while its status is late', async () => {
    world.simulator.setBehavior({ statusLagMs: 2_500 });
    world.simulator.fault({ operation: 'processId', kind: 'reset', effect: true });
    world.simulator.fault({ operation: 'processId', kind: 'status', status: 400 });
    const { interviewId, onboarding, idProcessed } = await world.run(await world.person());
    expect({ outcome: onboarding?.outcome, idProcessed }).toEqual({ outcome: 'approved', idProcessed: true });
    expect(world.simulator.captures(interviewId).processed.id).toBe(1);
  });

  it.each<Partial<SimulatorBehavior>>([
    { secondProcessId: 'refused', secondProcessIdStatus: 400 },
    { secondProcessId: 'refused', secondProcessIdStatus: 409 },
    { secondProcessId: 'refused', secondProcessIdStatus: 500 },
    { secondProcessId: 'parseError', secondProcessIdStatus: 400 },
    { secondProcessId: 'parseError', secondProcessIdStatus: 500 },
  ])('counts as done if Incode says that it was done (%j), although the status lags', async (behavior) => {
    world.simulator.setBehavior({ ...behavior, statusLagMs: 1_500 });
    world.simulator.fault({ operation: 'processId', kind: 'reset', effect: true });
    const { interviewId, idProcessed, onboarding } = await world.run(await world.person());
    expect({ idProcessed, outcome: onboarding?.outcome }).toEqual({ idProcessed: true, outcome: 'approved' });
    expect(world.simulator.captures(interviewId).processed.id).toBe(1);
    expect(world.simulator.callsOf(interviewId, 'processId')).toHaveLength(2);
  });
});
