import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CaptureInput, CapturePlan } from '../../../src/contract/index.js';
import { type Call, passTime } from '../../../src/testing/index.js';
import { type CaptureWorld, EXECUTIVE_USER, startCaptureWorld, stateOf } from '../../support/capture-world.js';
import { attemptsOf, failedTasks } from '../../support/history.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld({ worker: EXECUTIVE_USER });
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => world.simulator.clearFaults());

/** All calls that delete something, with their answer. */
function deletions({ simulator }: CaptureWorld): string[] {
  const calls = (['deleteSession', 'deleteSessions'] as const).flatMap((call) => simulator.callsOf(undefined, call));
  return calls.map(({ operation, httpStatus }: Call) => `${operation} ${httpStatus}`);
}

/** @param simulate the outcome at Incode */
function personWith(plan: CapturePlan, simulate = 'approved'): Promise<CaptureInput> {
  return world.person({ plan, customFields: { simulate } });
}

describe('A person whose plan says purge', () => {
  it('has nothing deleted at Incode by default', async () => {
    const before = deletions(world);
    const result = await world.run(await world.person());
    expect(result).not.toHaveProperty('purged');
    expect(result).not.toHaveProperty('notPurged');
    expect(deletions(world)).toEqual(before);
  });

  it('keeps the score when the images are deleted', async () => {
    const result = await world.run(await personWith({ purge: 'images' }));
    expect(result).toMatchObject({ purged: 'images', onboarding: { outcome: 'approved', score: { status: 'OK' } } });
    expect(result).not.toHaveProperty('notPurged');
    expect(world.uploads(result.interviewId)).toEqual([]);
    expect(world.simulator.session(result.interviewId).score).toEqual({ status: 'OK', value: '94.6' });
  });

  it('has the whole session deleted after a rejection', async () => {
    const result = await world.run(await personWith({ purge: 'session' }, 'rejected'));
    expect(result).toMatchObject({ purged: 'session', onboarding: { outcome: 'rejected' } });
    expect(() => world.simulator.session(result.interviewId)).toThrow('The simulator has no session');
  });

  it.each([
    ['review', 'needsReview'],
    ['undecided', 'undecided'],
  ] as const)('keeps everything of a session that a person has to look at: %s', async (scenario, outcome) => {
    const before = deletions(world);
    const result = await world.run(await personWith({ purge: 'session', score: scenario === 'review' }, scenario));
    expect(result).toMatchObject({ purged: null, notPurged: `the outcome is ${outcome}`, onboarding: { outcome } });
    expect(deletions(world)).toEqual(before);
  });

  it.each([
    ['before', false],
    ['after', true],
  ])('has its images deleted although an answer is lost %s the effect', async (_, effect) => {
    world.simulator.fault({ operation: 'deleteSessions', kind: 'reset', effect });
    const handle = await world.start(await personWith({ purge: 'images' }));
    expect(await handle.result()).toMatchObject({ purged: 'images' });
    const history = await handle.fetchHistory();
    expect(attemptsOf(history, 'purge')).toBe(2);
    expect(failedTasks(history)).toEqual([]);
  });

  it('counts as deleted if a repeat finds no session', async () => {
    world.simulator.fault({ operation: 'deleteSession', kind: 'reset', effect: true });
    const { interviewId, purged } = await world.run(await personWith({ purge: 'session' }));
    expect(purged).toBe('session');
    const statuses = world.simulator.callsOf(interviewId, 'deleteSession').map(({ httpStatus }) => httpStatus);
    expect(statuses).toEqual([null, 404]);
  });

  it.each([
    ['images', 'deleteSessions'],
    ['session', 'deleteSession'],
  ] as const)(
    'keeps its outcome and says so if the first request to delete the %s finds nothing',
    async (purge, operation) => {
      world.simulator.fault({ operation, kind: 'status', status: 404 });
      const result = await world.run(await personWith({ purge }));
      expect(result).toMatchObject({ purged: null, onboarding: { outcome: 'approved' } });
      expect(result.notPurged).toBe(
        `Session ${result.interviewId}: Incode answered 404 and deleted nothing. It does not know the session, or the base URL is wrong`,
      );
      expect(world.uploads(result.interviewId)).toEqual(['front', 'back', 'face']);
    },
  );

  it('has its images deleted with a fresh executive token if Incode refuses the first one', async () => {
    world.simulator.fault({ operation: 'deleteSessions', kind: 'status', status: 401 });
    const logIns = () => world.simulator.callsOf(undefined, 'logIn').length;
    const [before, deleted] = [logIns(), deletions(world).length];
    const handle = await world.start(await personWith({ purge: 'images' }));
    expect(await handle.result()).toMatchObject({ purged: 'images', onboarding: { outcome: 'approved' } });
    expect(logIns()).toBeGreaterThan(before);
    expect(deletions(world).slice(deleted)).toEqual(['deleteSessions 401', 'deleteSessions 200']);
    expect(failedTasks(await handle.fetchHistory())).toEqual([]);
  });

  it('keeps its outcome and names the executive token if Incode refuses the token until the day is over', async () => {
    const refused = { operation: 'deleteSessions', kind: 'status', status: 401 } as const;
    // The first attempt, with its first token and a fresh one.
    world.simulator.fault({ ...refused, times: 2 });
    // 23 hours pass in steps of ten minutes. A refused token is tried again every minute, and the server needs a tenth of a second each time.
    const limited = { operation: 'deleteSessions', kind: 'status', status: 429 } as const;
    world.simulator.fault({ ...limited, headers: { 'retry-after': '600' }, times: 138 });
    world.simulator.fault({ ...refused, times: null });
    const before = deletions(world).length;
    const input = await personWith({ purge: 'images' });
    const handle = await world.start(input);
    const call = async () => (await world.onboarding.people.state(input.reference)).call;
    await expect.poll(async () => (await call())?.lastFailure?.message).toContain('Incode refuses the executive token');
    expect(await stateOf(handle)).toMatchObject({ stage: 'purging', outcome: 'approved' });

    await passTime(world.temporal, handle.workflowId, '25h');
    const result = await handle.result();
    expect(result).toMatchObject({ purged: null, onboarding: { outcome: 'approved', score: { status: 'OK' } } });
    expect(result.notPurged).toBe(
      `Session ${result.interviewId}: logIn: Incode refuses the executive token. Correct the e-mail and password, or the token, of the executive user.`,
    );
    expect(world.uploads(result.interviewId)).toEqual(['front', 'back', 'face']);
    // It was tried again until the end of the day.
    expect(deletions(world).slice(before).at(-1)).toBe('deleteSessions 401');
  });

  it('keeps its outcome if Incode refuses to delete', async () => {
    world.simulator.fault({ operation: 'deleteSessions', kind: 'status', status: 400 });
    const result = await world.run(await personWith({ purge: 'images' }));
    expect(result).toMatchObject({ purged: null, onboarding: { outcome: 'approved' } });
    expect(result.notPurged).toMatch(/^Session \S+: deleteImages: Incode answered 400/);
  });

  it('keeps its outcome if the worker has no executive token', async () => {
    await using plain = await startCaptureWorld();
    const result = await plain.run(await plain.person({ plan: { purge: 'session' } }));
    expect(result).toMatchObject({
      purged: null,
      notPurged: `Session ${result.interviewId}: nothing was deleted at Incode, because the worker has no executive token`,
      onboarding: { outcome: 'approved' },
    });
    expect(deletions(plain)).toEqual([]);
  });
});
