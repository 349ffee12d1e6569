import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchProgress,
  type BatchSession,
  type BatchWorkflow,
  batchWorkflowId,
  FAILURES,
} from '../../../src/contract/index.js';
import { CLAIM_SIGNALS, CLAIMS_WORKFLOW, claimsWorkflowId } from '../../../src/contract/names.js';
import { passTime } from '../../../src/testing/index.js';
import { startShard } from '../../support/batch.js';
import { failedTasks } from '../../support/history.js';
import { until } from '../../support/lifecycle.js';
import { resetTo } from '../../support/reset.js';
import { startTestWorld, type TestWorld } from '../../support/world.js';

// Two shards that share sessions. The first one is paused before it has begun any, so the second one has to wait for it.

let world: TestWorld;
let sessions: BatchSession[];
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  sessions = await world.sessions(3);
});

type Shard = WorkflowHandle<BatchWorkflow>;

/** Starts a shard that holds the sessions and begins none. */
async function startPaused(held: BatchSession[], more: Partial<BatchInput> = {}): Promise<Shard> {
  const batchId = randomUUID();
  const handle = await world.temporal.workflow.signalWithStart(BATCH_WORKFLOW, {
    workflowId: batchWorkflowId(batchId, 0),
    taskQueue: world.taskQueue,
    args: [{ batchId, shard: 0, sessions: held, plan: { score: false }, ...more }],
    signal: BATCH_SIGNALS.pause,
  });
  await until(() => isAnswered(handle), true);
  return handle as unknown as Shard;
}

async function isAnswered(handle: Pick<Shard, 'fetchHistory'>): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).some(
    (event) => event.workflowExecutionSignaledEventAttributes?.signalName === CLAIM_SIGNALS.claimed,
  );
}

const progressOf = (shard: Shard) => shard.query<BatchProgress>(BATCH_QUERIES.progress);
const claims = () => world.temporal.workflow.getHandle(claimsWorkflowId(world.taskQueue));

async function detailsOf(handle: { query: Shard['query'] }): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

async function untilWaitsFor(shard: Shard, holder: Shard): Promise<void> {
  await expect.poll(async () => (await progressOf(shard)).heldUpBy).toContain(`for ${holder.workflowId}`);
}

async function outcomesOf(shard: Shard): Promise<(string | undefined)[]> {
  return (await shard.result()).rows.map(({ outcome, failure }) => outcome ?? failure?.type);
}

function expectFinishedOnce(): void {
  expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
}

const APPROVED = ['approved', 'approved', 'approved'];
const STOPPED = [FAILURES.batchStopped, FAILURES.batchStopped, FAILURES.batchStopped];

describe('a shard whose sessions another shard holds', () => {
  it('a waiting shard completes its other sessions, says for which shard it waits, and reports what that shard did', async () => {
    const own = await world.sessions(2);
    const first = await startPaused(sessions);
    const second = await startShard(world, [...sessions, ...own]);
    await expect.poll(() => progressOf(second)).toMatchObject({ done: 2, failed: 0, total: 5 });
    expect((await progressOf(second)).heldUpBy).toBe(
      `3 sessions wait for ${first.workflowId}, where they are in progress`,
    );
    expect(await detailsOf(second)).toContain(`held up: 3 sessions wait for ${first.workflowId}`);
    expect(world.timesFinished(sessions)).toEqual([0, 0, 0]);
    await first.signal(BATCH_SIGNALS.resume);
    expect(await outcomesOf(first)).toEqual(APPROVED);
    const { rows } = await second.result();
    expect(rows.map(({ finish }) => finish?.confirmedBy)).toEqual([
      'status',
      'status',
      'status',
      'response',
      'response',
    ]);
    expectFinishedOnce();
  });

  it('a waiting shard gets each session when the holder has ended it, before the holder ends', async () => {
    const [late] = await world.sessions(1);
    const { interviewId = '' } = late ?? {};
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 403, times: null });
    const first = await startShard(world, [...sessions, late as BatchSession]);
    await expect.poll(() => world.timesFinished(sessions)).toEqual([1, 1, 1]);
    const second = await startShard(world, [late as BatchSession, ...sessions]);
    await expect.poll(() => progressOf(second)).toMatchObject({ done: 3 });
    await untilWaitsFor(second, first);
    expect((await first.describe()).status.name).toBe('RUNNING');
    world.simulator.clearFaults();
    await Promise.all([first.result(), second.result()]);
    sessions.push(late as BatchSession);
    expectFinishedOnce();
  });

  it('a waiting shard finishes the sessions of a stopped holder after a read of their status and the settle time', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    await first.signal(BATCH_SIGNALS.stop);
    expect(await outcomesOf(first)).toEqual(STOPPED);
    expect(await outcomesOf(second)).toEqual(APPROVED);
    for (const { interviewId } of sessions) {
      const calls = world.simulator.callsOf(interviewId);
      expect(calls.map(({ operation }) => operation)).toEqual(['onboardingStatus', 'onboardingStatus', 'finishStatus']);
      const [look, , finish] = calls.map(({ at }) => at);
      // The settle time of this test, by the simulator's clock.
      expect(Number(finish) - Number(look)).toBeGreaterThanOrEqual(400);
    }
    expectFinishedOnce();
  });

  it('a waiting shard finishes the sessions of a cancelled holder', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    await first.cancel();
    expect(await outcomesOf(second)).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('a shard finishes the sessions of a holder that was terminated before', async () => {
    const first = await startPaused(sessions);
    await first.terminate();
    expect(await outcomesOf(await startShard(world, sessions))).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('a waiting shard notices within minutes that its holder was terminated', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    await first.terminate();
    await passTime(world.temporal, second.workflowId, '6 minutes');
    expect(await outcomesOf(second)).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('a waiting shard that is stopped leaves its place to the next one', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    const third = await startShard(world, sessions);
    await untilWaitsFor(third, first);
    await second.signal(BATCH_SIGNALS.stop);
    expect(await outcomesOf(second)).toEqual(STOPPED);
    await first.signal(BATCH_SIGNALS.resume);
    expect(await outcomesOf(third)).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('a shard waits for the holder again after the claims workflow was terminated', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    const { runId } = await claims().describe();
    await claims().terminate();
    await passTime(world.temporal, second.workflowId, '6 minutes');
    await expect.poll(async () => (await claims().describe()).runId).not.toBe(runId);
    await expect.poll(() => detailsOf(claims())).toContain('3 sessions');
    await untilWaitsFor(second, first);
    expect(world.timesFinished(sessions)).toEqual([0, 0, 0]);
    await first.signal(BATCH_SIGNALS.resume);
    expect(await outcomesOf(first)).toEqual(APPROVED);
    expect(await outcomesOf(second)).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('a shard says that the claims workflow does not answer, asks again, and then waits for its settle time', async () => {
    await using own = await startTestWorld();
    const [session] = await own.sessions(1);
    // Another program has taken the id, and never answers.
    const taken = await own.temporal.workflow.start('unknown', {
      workflowId: claimsWorkflowId(own.taskQueue),
      taskQueue: `${own.taskQueue}-nobody`,
    });
    const shard = await startShard(own, [session as BatchSession], { verifyFirst: 'settle' });
    await passTime(own.temporal, shard.workflowId, '6 minutes');
    await expect
      .poll(async () => (await progressOf(shard)).heldUpBy)
      .toBe(`the workflow ${claimsWorkflowId(own.taskQueue)} does not answer`);
    await taken.terminate();
    await passTime(own.temporal, shard.workflowId, '6 minutes');
    expect(await outcomesOf(shard)).toEqual(['approved']);
    // The settle time begins when the session may begin, not when the shard does: the status is read again after it. A busy machine reads
    // more often, also after the finish.
    const operations = own.simulator.callsOf(session?.interviewId).map(({ operation }) => operation);
    expect(operations.filter((operation) => operation !== 'onboardingStatus')).toEqual(['finishStatus']);
    expect(operations.indexOf('finishStatus')).toBeGreaterThan(1);
  });

  it('a shard with verifyFirst "trust" claims nothing and does not wait', async () => {
    await startPaused(sessions);
    const trusting = await startShard(world, sessions, { verifyFirst: 'trust' });
    expect(await outcomesOf(trusting)).toEqual(APPROVED);
    const { events } = await trusting.fetchHistory();
    const sent = (events ?? []).filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes);
    expect(sent).toEqual([]);
  });

  it('a shard that is reset waits if another shard has claimed its sessions since', async () => {
    const first = await startShard(world, sessions);
    await first.result();
    const second = await startPaused(sessions);
    const { events } = await first.fetchHistory();
    const scheduled = (events ?? []).find((event) => event.activityTaskScheduledEventAttributes);
    // The run had claimed the sessions, and begins them again.
    await resetTo(
      world.temporal,
      first.workflowId,
      scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId,
    );
    const again = world.temporal.workflow.getHandle<BatchWorkflow>(first.workflowId);
    await untilWaitsFor(again as Shard, second);
    await second.signal(BATCH_SIGNALS.resume);
    expect(await outcomesOf(second)).toEqual(APPROVED);
    expect((await again.result()).rows.map(({ finish }) => finish?.confirmedBy)).toEqual([
      'status',
      'status',
      'status',
    ]);
    expectFinishedOnce();
    // The reset itself is recorded as a failed task.
    expect(failedTasks(await again.fetchHistory())).toEqual(['test']);
  });
});

describe('the claims workflow', () => {
  it('holds nothing for shards that have ended, ends when it is unused, and is started again', async () => {
    await using own = await startTestWorld();
    const handle = own.temporal.workflow.getHandle(claimsWorkflowId(own.taskQueue));
    for (const _ of [1, 2]) {
      const completed = await own.sessions(3);
      const shards = await Promise.all([1, 2, 3].map(() => startShard(own, completed)));
      await Promise.all(shards.map((shard) => shard.result()));
      expect(own.timesFinished(completed)).toEqual([1, 1, 1]);
      await expect.poll(() => detailsOf(handle)).toBe('0 sessions are held by 0 shards');
      await passTime(own.temporal, handle.workflowId, '21 minutes');
      expect((await handle.describe()).status.name).toBe('COMPLETED');
    }
  });

  it('forgets a terminated shard that nobody waits for', async () => {
    await using own = await startTestWorld();
    const handle = own.temporal.workflow.getHandle(claimsWorkflowId(own.taskQueue));
    const [session] = await own.sessions(1);
    own.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: null });
    const shard = await startShard(own, [session as BatchSession]);
    await expect.poll(() => detailsOf(handle)).toBe('1 sessions are held by 1 shards');
    await shard.terminate();
    await passTime(own.temporal, handle.workflowId, '11 minutes');
    await expect.poll(() => detailsOf(handle)).toBe('0 sessions are held by 0 shards');
  });

  it('knows after a reset which shard holds which session', async () => {
    const first = await startPaused(sessions);
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    const { events } = await claims().fetchHistory();
    await resetTo(
      world.temporal,
      claims().workflowId,
      events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId,
    );
    const third = await startShard(world, sessions);
    await untilWaitsFor(third, first);
    expect(world.timesFinished(sessions)).toEqual([0, 0, 0]);
    await first.signal(BATCH_SIGNALS.resume);
    for (const shard of [first, second, third]) expect(await outcomesOf(shard)).toEqual(APPROVED);
    expectFinishedOnce();
  });

  it('sends no more signals at a time than Temporal allows', async () => {
    await using own = await startTestWorld();
    const handle = await own.temporal.workflow.start(CLAIMS_WORKFLOW, {
      workflowId: claimsWorkflowId(own.taskQueue),
      taskQueue: own.taskQueue,
    });
    const hashes = Array.from({ length: 2_100 }, (_, number) => String(number).padStart(6, '0'));
    await handle.signal(CLAIM_SIGNALS.claim, {
      shard: 'none',
      claimId: 'none',
      sessions: hashes.join(''),
      holders: hashes.map((hash) => [`none-${hash}`, hash]),
    });
    const completed = await own.sessions(3);
    expect(await outcomesOf(await startShard(own, completed))).toEqual(APPROVED);
    expect(failedTasks(await handle.fetchHistory())).toEqual([]);
    await handle.terminate();
  });

  it('the claims workflow and a shard ignore signals that they do not understand', async () => {
    const first = await startPaused(sessions);
    const claim = { shard: first.workflowId, claimId: 'any', sessions: 'abcdef', holders: [] };
    const junk = [
      [],
      [null],
      ['text'],
      [{ shard: 1 }],
      [{ shard: first.workflowId, sessions: 7 }],
      // Temporal refuses signals to these ids, and fails the workflow task that sends them.
      ...['', 's'.repeat(1_001), '\ud800'].flatMap((shard) => [
        [{ ...claim, shard }],
        [{ ...claim, holders: [[shard, 'abcdef']] }],
      ]),
    ];
    const failedBefore = failedTasks(await claims().fetchHistory());
    for (const args of junk) {
      await claims().signal(CLAIM_SIGNALS.claim, ...args);
      await claims().signal(CLAIM_SIGNALS.release, ...args);
      await first.signal(CLAIM_SIGNALS.claimed, ...args);
    }
    const second = await startShard(world, sessions);
    await untilWaitsFor(second, first);
    await first.signal(BATCH_SIGNALS.resume);
    await Promise.all([first.result(), second.result()]);
    expectFinishedOnce();
    expect(failedTasks(await first.fetchHistory())).toEqual([]);
    expect(failedTasks(await claims().fetchHistory())).toEqual(failedBefore);
  });
});
