import { expect } from 'vitest';
import { BATCH_QUERIES, BATCH_SIGNALS, type BatchProgress } from '../../src/contract/index.js';
import { startShard } from '../support/batch.js';
import type { fetchHistory } from '../support/history.js';
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
};

async function playing(play: (world: TestWorld) => Promise<History>): Promise<History> {
  await using world = await startTestWorld();
  return await play(world);
}
