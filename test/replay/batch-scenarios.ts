import { expect } from 'vitest';
import { BATCH_QUERIES, BATCH_SIGNALS, type BatchProgress } from '../../src/contract/index.js';
import { CLAIM_SIGNALS, claimsWorkflowId } from '../../src/contract/names.js';
import { passTime } from '../../src/testing/index.js';
import { startShard } from '../support/batch.js';
import type { fetchHistory } from '../support/history.js';
import { resetTo } from '../support/reset.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

type History = Awaited<ReturnType<typeof fetchHistory>>;

/** A scenario for every path through `onboardingBatch`, with few sessions, because a history holds each session a few times. */
export const BATCH_SCENARIOS: Record<string, () => Promise<History>> = {
  'batch-with-a-retry': () =>
    playing(async (world) => {
      const sessions = await world.sessions(5);
      const interviewId = sessions[2]?.interviewId ?? '';
      world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
      const handle = await startShard(world, sessions, { plan: { close: true } });
      await handle.result();
      return handle.fetchHistory();
    }),

  'batch-held-up': () =>
    playing(async (world) => {
      const sessions = await world.sessions(12);
      world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: 9 });
      const handle = await startShard(world, sessions);
      await handle.result();
      return handle.fetchHistory();
    }),

  'batch-paused-and-stopped': () =>
    playing(async (world) => {
      const sessions = await world.sessions(3, { scoreReadyAfterMs: null });
      const handle = await startShard(world, sessions, { plan: { score: true } });
      const progress = () => handle.query<BatchProgress>(BATCH_QUERIES.progress);
      await expect.poll(async () => (await progress()).waiting).toBe(3);
      await handle.signal(BATCH_SIGNALS.pause);
      await expect.poll(async () => (await progress()).paused).toBe(true);
      await handle.signal(BATCH_SIGNALS.resume);
      await handle.signal(BATCH_SIGNALS.stop);
      await handle.result();
      return handle.fetchHistory();
    }),

  'batch-claimed': () =>
    playing(async (world) => {
      const handle = await startShard(world, await world.sessions(3));
      await handle.result();
      return handle.fetchHistory();
    }),

  'batch-waits-for-another': () =>
    playing(async (world) => {
      const { second } = await oneAfterTheOther(world);
      return second.fetchHistory();
    }),

  'batch-reset': () =>
    playing(async (world) => {
      const handle = await startShard(world, await world.sessions(3));
      await handle.result();
      const { events } = await handle.fetchHistory();
      const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes);
      const begun = scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId;
      await resetTo(world.temporal, handle.workflowId, begun);
      const again = world.temporal.workflow.getHandle(handle.workflowId);
      await again.result();
      return again.fetchHistory();
    }),

  claims: () =>
    playing(async (world) => {
      const { first } = await oneAfterTheOther(world);
      const claims = world.temporal.workflow.getHandle(claimsWorkflowId(world.taskQueue));
      // A shard that is gone, and the end of the last claim.
      await claims.signal(CLAIM_SIGNALS.claim, {
        shard: `${first.workflowId}-gone`,
        claimId: 'none',
        sessions: 'abcdef',
        holders: [],
      });
      await passTime(world.temporal, claims.workflowId, '21 minutes');
      await claims.result();
      return claims.fetchHistory();
    }),
};

/** Two shards with the same sessions, of which the second one waits until the first one has ended. */
async function oneAfterTheOther(world: TestWorld) {
  const sessions = await world.sessions(3);
  world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 403, times: null });
  const first = await startShard(world, sessions);
  await expect.poll(() => world.simulator.callsOf(undefined, 'finishStatus').length).toBeGreaterThan(0);
  const second = await startShard(world, sessions);
  const progress = () => second.query<BatchProgress>(BATCH_QUERIES.progress);
  await expect.poll(async () => (await progress()).heldUpBy).toContain(first.workflowId);
  world.simulator.clearFaults();
  await Promise.all([first.result(), second.result()]);
  return { first, second };
}

async function playing(play: (world: TestWorld) => Promise<History>): Promise<History> {
  await using world = await startTestWorld();
  return await play(world);
}
