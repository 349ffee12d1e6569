import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forget } from '../../src/activities/recent-requests.js';
import {
  BatchDetachedError,
  BatchMismatchError,
  BatchNotFoundError,
  type BatchRunProgress,
  BatchShardError,
  batchProgress,
  completeBatch,
  pauseBatch,
  resumeBatch,
  stopBatch,
} from '../../src/client/index.js';
import {
  BATCH_SIGNALS,
  BATCH_WORKFLOW,
  type BatchSession,
  batchWorkflowId,
  FAILURES,
  SEARCH_ATTRIBUTES,
} from '../../src/contract/index.js';
import { all, outcomes } from '../support/batch.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const ids = (list: { interviewId: string }[]) => list.map(({ interviewId }) => interviewId);
const once = (list: unknown[]) => list.map(() => 1);

async function* trickle<T>(items: T[]): AsyncGenerator<T> {
  for (const item of items) {
    await sleep(1);
    yield item;
  }
}

describe('completeBatch', () => {
  it('completes every session once, with results in the order of the input', async () => {
    const sessions = await world.sessions(12, (index) =>
      index % 3 ? {} : { score: { status: 'FAIL', value: '1.0' } },
    );
    const items = await all(completeBatch(world.onboarding, sessions, world.batch()));
    expect(ids(items)).toEqual(ids(sessions));
    expect(items.map(({ index }) => index)).toEqual(sessions.map((_, index) => index));
    expect(outcomes(items)).toEqual(sessions.map((_, index) => (index % 3 ? 'approved' : 'rejected')));
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('takes an async iterable and generates a batch id', async () => {
    const sessions = await world.sessions(7);
    const batch = completeBatch(world.onboarding, trickle(sessions), { taskQueue: world.taskQueue });
    expect(batch.batchId).toMatch(/^batch-[0-9a-f-]{36}$/);
    expect(ids(await all(batch))).toEqual(ids(sessions));
    expect((await batchProgress(world.onboarding, batch.batchId)).done).toBe(7);
  });

  it('returns no results for an empty list', async () => {
    expect(await all(completeBatch(world.onboarding, [], world.batch()))).toEqual([]);
  });

  it('follows the plan', async () => {
    const sessions = await world.sessions(2, () => ({ action: 'none' }));
    const plan = { close: true, score: false };
    expect(outcomes(await all(completeBatch(world.onboarding, sessions, world.batch({ plan }))))).toEqual([
      'undecided',
      'undecided',
    ]);
    for (const id of ids(sessions)) expect(world.simulator.session(id).sessionStatus).toBe('Closed');
  });

  it('starts shards that are listed by batch id and have no token in their memo', async () => {
    const sessions = await world.sessions(1);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions, options));
    const description = await world.shard(options.batchId, 0).describe();
    expect(description.searchAttributes[SEARCH_ATTRIBUTES.batchId]).toEqual([options.batchId]);
    expect(description.memo).toMatchObject({ contentHash: expect.stringMatching(/^[0-9a-f]{64}$/), sessions: 1 });
    expect(JSON.stringify(description.memo)).not.toContain(sessions[0]?.sessionToken);
  });

  it('yields an item with the failure of a session that fails', async () => {
    const sessions = await world.sessions(3);
    const [, refused] = ids(sessions);
    world.simulator.fault({ operation: 'finishStatus', interviewId: String(refused), kind: 'status', status: 404 });
    const items = await all(completeBatch(world.onboarding, sessions, world.batch()));
    expect(outcomes(items)).toEqual(['approved', FAILURES.unknownSession, 'approved']);
    expect(items[1]?.failure?.message).toContain(refused);
  });

  it("yields results as shards complete with order 'asCompleted'", async () => {
    const sessions = await world.sessions(10, (index) => (index === 0 ? { scoreReadyAfterMs: null } : {}));
    const items = [];
    for await (const item of completeBatch(world.onboarding, sessions, world.batch({ order: 'asCompleted' }))) {
      items.push(item);
      // The first shard ends after the second one.
      if (items.length === 5) world.simulator.setScoreReady(String(ids(sessions)[0]));
    }
    expect(items.map(({ index }) => index)).toEqual([5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
    expect(items.find(({ index }) => index === 5)?.interviewId).toBe(sessions[5]?.interviewId);
  });

  it('runs at most a window of shards and reads no further input', async () => {
    const sessions = await world.sessions(30);
    let read = 0;
    const counted = (function* () {
      for (const session of sessions) {
        read += 1;
        yield session;
      }
    })();
    const options = world.batch({ window: 2 });
    const items = completeBatch(world.onboarding, counted, options)[Symbol.asyncIterator]();
    await items.next();
    await expect
      .poll(async () => (await batchProgress(world.onboarding, options.batchId)).shards)
      .toMatchObject({ completed: 3, running: 0 });
    // Shards of five: one being read, two in the window, one waiting for room; plus the first session after it.
    expect(read).toBe(21);
    await items.return?.();
  });

  it('reports its progress to onProgress', async () => {
    const sessions = await world.sessions(10, (index) => (index === 7 ? { scoreReadyAfterMs: null } : {}));
    world.simulator.fault({
      operation: 'finishStatus',
      interviewId: String(ids(sessions)[1]),
      kind: 'status',
      status: 404,
    });
    const reports: BatchRunProgress[] = [];
    const options = world.batch({ onProgress: (progress) => reports.push(progress), progressIntervalMs: 100 });
    const running = all(completeBatch(world.onboarding, sessions, options));
    await expect.poll(() => reports.at(-1)).toMatchObject({ done: 8, failed: 1, waiting: 1 });
    world.simulator.setScoreReady(String(ids(sessions)[7]));
    await running;
    expect(reports.some(({ perSecond, timeLeftMs }) => perSecond > 0 && Number(timeLeftMs) > 0)).toBe(true);
    expect(reports.at(-1)).toMatchObject({
      handedOver: 10,
      attached: 0,
      done: 9,
      failed: 1,
      waiting: 0,
      timeLeftMs: 0,
    });
  });
});

describe('a batch whose task queue no worker polls', () => {
  it('is held up by that', async () => {
    const taskQueue = 'bulk-of-nobody';
    const detach = new AbortController();
    const reports: BatchRunProgress[] = [];
    const options = world.batch({
      taskQueue,
      signal: detach.signal,
      onProgress: (progress) => reports.push(progress),
      progressIntervalMs: 100,
    });
    const running = thrown(all(completeBatch(world.onboarding, await world.sessions(1), options)));
    const heldUpBy = `no worker polls the task queue ${taskQueue}`;
    await expect.poll(() => reports.at(-1)).toMatchObject({ heldUpBy, timeLeftMs: null });
    expect(await batchProgress(world.onboarding, options.batchId)).toMatchObject({ unknown: 1, heldUpBy });
    detach.abort();
    await running;
    await world.onboarding.temporal.workflow.getHandle(batchWorkflowId(options.batchId, 0)).terminate();
  });
});

describe('completeBatch with invalid input', () => {
  const session = { interviewId: 'a' };

  it.each<[string, unknown[], string]>([
    ['a session that is not an object', [session, 'b'], 'sessions[1]'],
    ['a session without an id', [session, {}], 'sessions[1].interviewId'],
    ['an empty token', [session, { interviewId: 'b', sessionToken: '' }], 'sessions[1].sessionToken'],
    ['an unknown field', [{ interviewId: 'b', token: 't' }], 'sessions[0].token'],
    ['the same id twice', [session, { interviewId: 'b' }, session], 'sessions[2].interviewId'],
  ])('refuses %s by index and field and starts nothing', async (_, sessions, field) => {
    const options = world.batch();
    const error = await thrown(all(completeBatch(world.onboarding, sessions as BatchSession[], options)));
    expect(error).toMatchObject({ name: 'InvalidInputError', field });
    expect(await thrown(batchProgress(world.onboarding, options.batchId))).toBeInstanceOf(BatchNotFoundError);
  });

  it('refuses an id that repeats across shards before its shard starts', async () => {
    const sessions = await world.sessions(9);
    const options = world.batch();
    const twice = [...sessions, sessions[2] as BatchSession];
    expect((await thrown(all(completeBatch(world.onboarding, twice, options)))).message).toBe(
      'sessions[9].interviewId is the same as that of sessions[2]',
    );
    expect((await thrown(world.shard(options.batchId, 1).describe())).name).toBe('WorkflowNotFoundError');
  });

  it.each([
    [{ batchId: "a'b" }, 'batchId'],
    [{ shardSize: 2_001 }, 'shardSize'],
    [{ window: 0 }, 'window'],
    [{ plan: { scoreDeadline: 'soon' } }, 'plan.scoreDeadline'],
  ])('refuses the options %j at once', (options, field) => {
    expect(() => completeBatch(world.onboarding, [], options)).toThrow(expect.objectContaining({ field }));
  });
});

describe('completeBatch for a batch that was started before', () => {
  it('returns the existing results of a completed batch and starts nothing', async () => {
    const sessions = await world.sessions(7);
    const options = world.batch();
    const first = await all(completeBatch(world.onboarding, sessions, options));
    const calls = world.simulator.callsOf().length;
    const renewed = sessions.map((session, at) => ({ ...session, sessionToken: `another-${at}` }));
    let last: BatchRunProgress | undefined;
    const onProgress = (progress: BatchRunProgress) => {
      last = progress;
    };
    expect(await all(completeBatch(world.onboarding, renewed, { ...options, onProgress }))).toEqual(first);
    expect(world.simulator.callsOf()).toHaveLength(calls);
    expect(last).toMatchObject({ attached: 7, done: 7, perSecond: 0 });
  });

  it('attaches to running shards after a detach', async () => {
    const sessions = await world.sessions(10, (index) => (index === 0 ? { scoreReadyAfterMs: null } : {}));
    const options = world.batch();
    const detach = new AbortController();
    const running = all(completeBatch(world.onboarding, sessions, { ...options, signal: detach.signal }));
    await expect.poll(() => world.simulator.effects(String(ids(sessions)[9])).finished).toBe(1);
    detach.abort();
    const error = await thrown(running);
    expect(error).toBeInstanceOf(BatchDetachedError);
    expect(error).toMatchObject({ batchId: options.batchId, handedOver: 10 });
    world.simulator.setScoreReady(String(ids(sessions)[0]));
    const items = await all(completeBatch(world.onboarding, sessions, options));
    expect(outcomes(items)).toEqual(sessions.map(() => 'approved'));
    expect(items.every(({ finish }) => finish?.confirmedBy === 'response')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('completes every session once when three runs start at the same time, and returns the same results to all', async () => {
    const sessions = await world.sessions(10);
    const options = world.batch();
    const runs = [1, 2, 3].map(() => all(completeBatch(world.onboarding, sessions, options)));
    const [first, ...others] = await Promise.all(runs);
    for (const other of others) expect(other).toEqual(first);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it.each([
    ['terminated', (shard: ReturnType<TestWorld['shard']>) => shard.terminate()],
    ['cancelled', (shard: ReturnType<TestWorld['shard']>) => shard.cancel()],
  ])('restarts a shard that was %s and finishes no session twice', async (_, end) => {
    const sessions = await world.sessions(5, (index) => (index === 4 ? { scoreReadyAfterMs: null } : {}));
    const options = world.batch();
    const running = all(completeBatch(world.onboarding, sessions, options));
    running.catch(() => undefined);
    await expect.poll(() => world.timesFinished(sessions)).toEqual(once(sessions));
    await end(world.shard(options.batchId, 0));
    expect(await thrown(running)).toBeInstanceOf(BatchShardError);
    world.simulator.setScoreReady(String(ids(sessions)[4]));
    const items = await all(completeBatch(world.onboarding, sessions, options));
    expect(outcomes(items)).toEqual(sessions.map(() => 'approved'));
    expect(items.every(({ finish }) => finish?.confirmedBy === 'status')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('refuses another list, names the shard and starts nothing', async () => {
    const sessions = await world.sessions(7);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions, options));
    const more = [...sessions, ...(await world.sessions(8))];
    const error = await thrown(all(completeBatch(world.onboarding, more, options)));
    expect(error).toBeInstanceOf(BatchMismatchError);
    expect(error).toMatchObject({ shard: 1, differs: 'sessions' });
    expect((await batchProgress(world.onboarding, options.batchId)).total).toBe(7);
  });

  it.each([
    ['shorter', 5, 1],
    ['longer', 15, 2],
  ])('refuses a list that is %s by a whole shard and starts nothing', async (_, count, shard) => {
    const sessions = await world.sessions(15);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions.slice(0, 10), options));
    const calls = world.simulator.callsOf().length;
    const error = await thrown(all(completeBatch(world.onboarding, sessions.slice(0, count), options)));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard, differs: 'sessions' });
    expect(world.simulator.callsOf()).toHaveLength(calls);
  });

  it('refuses a shorter list of unknown length at its end', async () => {
    const sessions = await world.sessions(10);
    const options = world.batch();
    await all(completeBatch(world.onboarding, trickle(sessions), options));
    const error = await thrown(all(completeBatch(world.onboarding, trickle(sessions.slice(0, 5)), options)));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard: 1, differs: 'sessions' });
    expect(await all(completeBatch(world.onboarding, sessions, options))).toHaveLength(10);
  });

  it('attaches to shards of earlier versions, whose memo has no total', async () => {
    const sessions = await world.sessions(5);
    const options = world.batch();
    await world.temporal.workflow.execute(BATCH_WORKFLOW, {
      workflowId: batchWorkflowId(options.batchId, 0),
      taskQueue: world.taskQueue,
      args: [{ batchId: options.batchId, shard: 0, sessions }],
      searchAttributes: { [SEARCH_ATTRIBUTES.batchId]: [options.batchId] },
      memo: {
        contentHash: createHash('sha256').update(ids(sessions).join('\n')).digest('hex'),
        plan: '{"close":false,"score":true,"scoreDeadlineMs":900000}',
        sessions: 5,
      },
    });
    expect(outcomes(await all(completeBatch(world.onboarding, sessions, options)))).toEqual(Array(5).fill('approved'));
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('refuses another plan and accepts an equivalent one', async () => {
    const sessions = await world.sessions(2);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions, options));
    const error = await thrown(all(completeBatch(world.onboarding, sessions, { ...options, plan: { close: true } })));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard: 0, differs: 'plan' });
    const same = { ...options, plan: { close: false, scoreDeadline: '15m' } };
    expect(await all(completeBatch(world.onboarding, sessions, same))).toHaveLength(2);
  });

  it('retries only the failed sessions with retryFailed', async () => {
    const sessions = await world.sessions(10);
    const failing = String(ids(sessions)[6]);
    world.simulator.fault({ operation: 'finishStatus', interviewId: failing, kind: 'status', status: 404 });
    const options = world.batch();
    const first = await all(completeBatch(world.onboarding, sessions, options));
    expect(first[6]?.failure?.type).toBe(FAILURES.unknownSession);
    expect(await all(completeBatch(world.onboarding, sessions, options))).toEqual(first);
    const calls = world.simulator.callsOf().length;
    const second = await all(completeBatch(world.onboarding, sessions, { ...options, retryFailed: true }));
    expect(second[6]).toMatchObject({ index: 6, interviewId: failing, outcome: 'approved' });
    expect(second.filter(({ index }) => index !== 6)).toEqual(first.filter(({ index }) => index !== 6));
    expect(
      new Set(
        world.simulator
          .callsOf()
          .slice(calls)
          .map(({ interviewId }) => interviewId),
      ),
    ).toEqual(new Set([failing]));
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('does not finish a session again with retryFailed while an earlier request may still take effect', async () => {
    // Requests end within 3 s here, and this one takes effect after 2.5 s.
    await using late = await startTestWorld({ simulator: { timeScale: 0.1 }, bulk: { settleTimeMs: 3_500 } });
    const sessions = await late.sessions(1);
    const options = late.batch();
    const interviewId = String(sessions[0]?.interviewId);
    late.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true, effectAfterMs: 2_500 });
    const running = all(completeBatch(late.onboarding, sessions, options));
    await expect.poll(() => late.simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
    await late.shard(options.batchId, 0).signal(BATCH_SIGNALS.stop);
    expect(outcomes(await running)).toEqual([FAILURES.batchStopped]);
    const retried = await all(completeBatch(late.onboarding, sessions, { ...options, retryFailed: true }));
    expect(retried).toMatchObject([{ outcome: 'approved', finish: { confirmedBy: 'status' } }]);
    expect(late.simulator.effects(interviewId).finished).toBe(1);
  });

  it('sends no finish again with retryFailed after an incomplete 2xx answer, on any worker', async () => {
    await using lagging = await startTestWorld({
      simulator: { behavior: { statusLagMs: 3_600_000 } },
      bulk: { settleTimeMs: 200, confirmFinishPollMs: 100, confirmFinishWithinMs: 900_000 },
    });
    const sessions = await lagging.sessions(1);
    const options = lagging.batch({ plan: { score: false } });
    const interviewId = String(sessions[0]?.interviewId);
    const calls = (operation: 'finishStatus' | 'onboardingStatus') =>
      lagging.simulator.callsOf(interviewId, operation).length;
    lagging.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'body', body: '{}' });
    const running = all(completeBatch(lagging.onboarding, sessions, options));
    // The read after the finish.
    await expect.poll(() => calls('onboardingStatus')).toBeGreaterThanOrEqual(2);
    await lagging.shard(options.batchId, 0).signal(BATCH_SIGNALS.stop);
    const [stopped] = await running;
    expect(stopped).toMatchObject({
      failure: { type: FAILURES.batchStopped },
      finish: { action: null, confirmedBy: 'unconfirmed' },
    });
    // Another worker process does not remember the request.
    forget(interviewId);
    const failed = thrown(all(completeBatch(lagging.onboarding, sessions, { ...options, retryFailed: true })));
    const before = calls('onboardingStatus');
    await expect.poll(() => calls('onboardingStatus')).toBeGreaterThanOrEqual(before + 5);
    expect(calls('finishStatus')).toBe(1);
    await lagging.shard(options.batchId, 0).terminate();
    expect((await failed).name).toBe('BatchShardError');
  });

  it('reads statuses first for a shard that retention has removed', async () => {
    const sessions = await world.sessions(10);
    const options = world.batch();
    // The server has only the second shard left of a batch that ran long ago.
    await all(completeBatch(world.onboarding, sessions.slice(0, 5), world.batch()));
    const second = { batchId: options.batchId, shard: 1, sessions: sessions.slice(5) };
    await world.temporal.workflow.execute(BATCH_WORKFLOW, {
      workflowId: batchWorkflowId(options.batchId, 1),
      taskQueue: world.taskQueue,
      args: [second],
      searchAttributes: { [SEARCH_ATTRIBUTES.batchId]: [options.batchId] },
      memo: {
        contentHash: createHash('sha256').update(ids(second.sessions).join('\n')).digest('hex'),
        plan: '{"close":false,"score":true,"scoreDeadlineMs":900000}',
        sessions: 5,
      },
    });
    const items = await all(completeBatch(world.onboarding, sessions, options));
    const confirmedBy = items.map(({ finish }) => finish?.confirmedBy);
    expect(confirmedBy).toEqual([...Array(5).fill('status'), ...Array(5).fill('response')]);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('finishes no session twice under another batch id with verifyFirst', async () => {
    const sessions = await world.sessions(3);
    await all(completeBatch(world.onboarding, sessions, world.batch()));
    const items = await all(completeBatch(world.onboarding, sessions, world.batch({ verifyFirst: true })));
    expect(outcomes(items)).toEqual(['approved', 'approved', 'approved']);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });
});

describe('stopBatch', () => {
  it('keeps results, starts no more shards, and a run with retryFailed continues', async () => {
    const sessions = await world.sessions(15, (index) => (index === 0 ? { scoreReadyAfterMs: null } : {}));
    const options = world.batch({ window: 1 });
    const running = all(completeBatch(world.onboarding, sessions, options));
    await expect.poll(() => world.timesFinished(sessions.slice(0, 5))).toEqual(once(sessions.slice(0, 5)));
    await expect.poll(async () => (await batchProgress(world.onboarding, options.batchId)).done).toBe(4);
    expect(await stopBatch(world.onboarding, options.batchId)).toBe(0);
    const items = await running;
    expect(outcomes(items)).toEqual([
      FAILURES.batchStopped,
      ...Array(4).fill('approved'),
      ...Array(10).fill(FAILURES.batchStopped),
    ]);
    expect(world.timesFinished(sessions.slice(5))).toEqual(Array(10).fill(0));
    const plan = { score: false };
    expect(
      (await thrown(all(completeBatch(world.onboarding, sessions, { ...options, plan, retryFailed: true })))).name,
    ).toBe('BatchMismatchError');
    // The first session is already finished and waits for its score again.
    const again = completeBatch(world.onboarding, sessions, {
      ...options,
      window: 32,
      order: 'asCompleted',
      retryFailed: true,
    });
    const iterator = again[Symbol.asyncIterator]();
    const rest = [];
    while (rest.length < 10) rest.push((await iterator.next()).value);
    expect(outcomes(rest)).toEqual(Array(10).fill('approved'));
    await iterator.return?.();
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
    await world.shard(options.batchId, 0).terminate();
  });

  it('throws BatchNotFoundError for an unknown batch, as do the other batch functions', async () => {
    for (const call of [stopBatch, pauseBatch, resumeBatch, batchProgress]) {
      expect(await thrown(call(world.onboarding, 'nobody-started-it'))).toBeInstanceOf(BatchNotFoundError);
    }
  });
});

describe('pauseBatch and resumeBatch', () => {
  it('pauseBatch holds a running batch until resumeBatch', async () => {
    const sessions = await world.sessions(5, (index) => (index === 0 ? { scoreReadyAfterMs: null } : {}));
    const options = world.batch();
    const running = all(completeBatch(world.onboarding, sessions, options));
    await expect.poll(() => world.timesFinished(sessions)).toEqual(once(sessions));
    expect(await pauseBatch(world.onboarding, options.batchId)).toBe(1);
    world.simulator.setScoreReady(String(ids(sessions)[0]));
    // Time in which a batch that is not paused would have read the score.
    await sleep(1_500);
    expect(await batchProgress(world.onboarding, options.batchId)).toMatchObject({
      total: 5,
      done: 4,
      waiting: 1,
      outcomes: { approved: 4 },
      shards: { running: 1 },
      paused: true,
    });
    expect(await resumeBatch(world.onboarding, options.batchId)).toBe(1);
    expect(outcomes(await running)).toEqual(sessions.map(() => 'approved'));
  });
});
