import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('takes an async iterable, and makes an id of its own', async () => {
    const sessions = await world.sessions(7);
    const batch = completeBatch(world.onboarding, trickle(sessions), { taskQueue: world.taskQueue });
    expect(batch.batchId).toMatch(/^batch-[0-9a-f-]{36}$/);
    expect(ids(await all(batch))).toEqual(ids(sessions));
    expect((await batchProgress(world.onboarding, batch.batchId)).done).toBe(7);
  });

  it('of nothing is nothing', async () => {
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

  it('starts shards that can be found by the id of the batch, and carry no token in what is readable', async () => {
    const sessions = await world.sessions(1);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions, options));
    const description = await world.shard(options.batchId, 0).describe();
    expect(description.searchAttributes[SEARCH_ATTRIBUTES.batchId]).toEqual([options.batchId]);
    expect(description.memo).toMatchObject({ contentHash: expect.stringMatching(/^[0-9a-f]{64}$/), sessions: 1 });
    expect(JSON.stringify(description.memo)).not.toContain(sessions[0]?.sessionToken);
  });

  it('makes an item with its reason of a session that fails', async () => {
    const sessions = await world.sessions(3);
    const [, refused] = ids(sessions);
    world.simulator.fault({ operation: 'finishStatus', interviewId: String(refused), kind: 'status', status: 404 });
    const items = await all(completeBatch(world.onboarding, sessions, world.batch()));
    expect(outcomes(items)).toEqual(['approved', FAILURES.unknownSession, 'approved']);
    expect(items[1]?.failure?.message).toContain(refused);
  });

  it('gives results as they come if that is what was asked for', async () => {
    const sessions = await world.sessions(10, (index) => (index === 0 ? { scoreReadyAfterMs: 1_500 } : {}));
    const items = await all(completeBatch(world.onboarding, sessions, world.batch({ order: 'asCompleted' })));
    expect(items.map(({ index }) => index)).toEqual([5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
    expect(items.find(({ index }) => index === 5)?.interviewId).toBe(sessions[5]?.interviewId);
  });

  it('has no more shards at the server than its window, and does not read further', async () => {
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
    // The shard that is being taken, two more, the next that has no room yet, and the session that ended it.
    expect(read).toBe(21);
    await items.return?.();
  });

  it('tells its progress', async () => {
    const sessions = await world.sessions(10, (index) => (index === 7 ? { scoreReadyAfterMs: 1_500 } : {}));
    world.simulator.fault({
      operation: 'finishStatus',
      interviewId: String(ids(sessions)[1]),
      kind: 'status',
      status: 404,
    });
    const told: BatchRunProgress[] = [];
    const options = world.batch({ onProgress: (progress) => told.push(progress), progressIntervalMs: 100 });
    await all(completeBatch(world.onboarding, sessions, options));
    expect(told.some(({ done, waiting, total }) => done === 8 && waiting === 1 && total === 10)).toBe(true);
    expect(told.some(({ perSecond, timeLeftMs }) => perSecond > 0 && Number(timeLeftMs) > 0)).toBe(true);
    expect(told.at(-1)).toMatchObject({ handedOver: 10, attached: 0, done: 9, failed: 1, waiting: 0, timeLeftMs: 0 });
  });
});

describe('an input that is wrong', () => {
  const session = { interviewId: 'a' };

  it.each<[string, unknown[], string]>([
    ['no object', [session, 'b'], 'sessions[1]'],
    ['no id', [session, {}], 'sessions[1].interviewId'],
    ['an empty token', [session, { interviewId: 'b', sessionToken: '' }], 'sessions[1].sessionToken'],
    ['an unknown field', [{ interviewId: 'b', token: 't' }], 'sessions[0].token'],
    ['the same id twice', [session, { interviewId: 'b' }, session], 'sessions[2].interviewId'],
  ])('(%s) is refused by place and field, and nothing is started', async (_, sessions, field) => {
    const options = world.batch();
    const error = await thrown(all(completeBatch(world.onboarding, sessions as BatchSession[], options)));
    expect(error).toMatchObject({ name: 'InvalidInputError', field });
    expect(await thrown(batchProgress(world.onboarding, options.batchId))).toBeInstanceOf(BatchNotFoundError);
  });

  it('is refused across shards too, before the shard with it is started', async () => {
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
  ])('%j is refused at once', (options, field) => {
    expect(() => completeBatch(world.onboarding, [], options)).toThrow(expect.objectContaining({ field }));
  });
});

describe('running a batch again', () => {
  it('gives the results that are there, and starts nothing', async () => {
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

  it('attaches to what is running after somebody has detached', async () => {
    const sessions = await world.sessions(10, (index) => (index === 0 ? { scoreReadyAfterMs: 2_000 } : {}));
    const options = world.batch();
    const detach = new AbortController();
    const running = all(completeBatch(world.onboarding, sessions, { ...options, signal: detach.signal }));
    await expect.poll(() => world.simulator.effects(String(ids(sessions)[9])).finished).toBe(1);
    detach.abort();
    const error = await thrown(running);
    expect(error).toBeInstanceOf(BatchDetachedError);
    expect(error).toMatchObject({ batchId: options.batchId, handedOver: 10 });
    const items = await all(completeBatch(world.onboarding, sessions, options));
    expect(outcomes(items)).toEqual(sessions.map(() => 'approved'));
    expect(items.every(({ finish }) => finish?.confirmedBy === 'response')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('twice at the same time completes every session once, and gives both the same', async () => {
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
  ])('starts a shard anew that was %s, and finishes nothing twice', async (_, end) => {
    const sessions = await world.sessions(5, (index) => (index === 4 ? { scoreReadyAfterMs: 3_000 } : {}));
    const options = world.batch();
    const running = all(completeBatch(world.onboarding, sessions, options));
    running.catch(() => undefined);
    await expect.poll(() => world.timesFinished(sessions)).toEqual(once(sessions));
    await end(world.shard(options.batchId, 0));
    expect(await thrown(running)).toBeInstanceOf(BatchShardError);
    const items = await all(completeBatch(world.onboarding, sessions, options));
    expect(outcomes(items)).toEqual(sessions.map(() => 'approved'));
    expect(items.every(({ finish }) => finish?.confirmedBy === 'status')).toBe(true);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });

  it('with another list is refused, naming the shard, and nothing of it is started', async () => {
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
    ['shorter by a whole shard', 5, 1],
    ['longer by a whole shard', 15, 2],
  ])('with a list that is %s is refused, and nothing of it is started', async (_, count, shard) => {
    const sessions = await world.sessions(15);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions.slice(0, 10), options));
    const calls = world.simulator.callsOf().length;
    const error = await thrown(all(completeBatch(world.onboarding, sessions.slice(0, count), options)));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard, differs: 'sessions' });
    expect(world.simulator.callsOf()).toHaveLength(calls);
  });

  it('with a shorter list of unknown length is refused at its end', async () => {
    const sessions = await world.sessions(10);
    const options = world.batch();
    await all(completeBatch(world.onboarding, trickle(sessions), options));
    const error = await thrown(all(completeBatch(world.onboarding, trickle(sessions.slice(0, 5)), options)));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard: 1, differs: 'sessions' });
    expect(await all(completeBatch(world.onboarding, sessions, options))).toHaveLength(10);
  });

  it('attaches to shards of earlier versions, which do not tell how long their list was', async () => {
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

  it('with another plan is refused; the same in other words is not', async () => {
    const sessions = await world.sessions(2);
    const options = world.batch();
    await all(completeBatch(world.onboarding, sessions, options));
    const error = await thrown(all(completeBatch(world.onboarding, sessions, { ...options, plan: { close: true } })));
    expect(error).toMatchObject({ name: 'BatchMismatchError', shard: 0, differs: 'plan' });
    const same = { ...options, plan: { close: false, scoreDeadline: '15m' } };
    expect(await all(completeBatch(world.onboarding, sessions, same))).toHaveLength(2);
  });

  it('with retryFailed runs the failed sessions again, and those alone', async () => {
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

  it('with retryFailed leaves a session alone that an earlier request may still be finishing', async () => {
    // Requests end within 3 s here, and this one takes effect late.
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

  it('reads statuses first of a shard that retention has removed', async () => {
    const sessions = await world.sessions(10);
    const options = world.batch();
    // Of a batch that has run long ago the server has only the second shard left.
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

  it('under another id finishes nothing twice with verifyFirst', async () => {
    const sessions = await world.sessions(3);
    await all(completeBatch(world.onboarding, sessions, world.batch()));
    const items = await all(completeBatch(world.onboarding, sessions, world.batch({ verifyFirst: true })));
    expect(outcomes(items)).toEqual(['approved', 'approved', 'approved']);
    expect(world.timesFinished(sessions)).toEqual(once(sessions));
  });
});

describe('stopBatch', () => {
  it('keeps results, hands nothing more over, and retryFailed goes on', async () => {
    const sessions = await world.sessions(15, (index) => (index === 0 ? { scoreReadyAfterMs: 60_000 } : {}));
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
    // The score of the first is waited for anew; it has been finished before.
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

  it('of a batch that nobody started says so', async () => {
    for (const call of [stopBatch, pauseBatch, resumeBatch, batchProgress]) {
      expect(await thrown(call(world.onboarding, 'nobody-started-it'))).toBeInstanceOf(BatchNotFoundError);
    }
  });
});

describe('pauseBatch and resumeBatch', () => {
  it('hold it, and let it go on', async () => {
    const sessions = await world.sessions(5, (index) => (index === 0 ? { scoreReadyAfterMs: 500 } : {}));
    const options = world.batch();
    const running = all(completeBatch(world.onboarding, sessions, options));
    await expect.poll(() => world.timesFinished(sessions)).toEqual(once(sessions));
    expect(await pauseBatch(world.onboarding, options.batchId)).toBe(1);
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
