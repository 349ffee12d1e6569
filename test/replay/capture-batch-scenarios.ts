import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BATCH_SIGNALS, type CaptureBatchInput, type CapturePerson } from '../../src/contract/index.js';
import { type PeopleHandle, progressOfPeople, severalPeople, startPeople } from '../support/capture-batch.js';
import { type CaptureWorld, startCaptureWorld } from '../support/capture-world.js';
import type { History } from '../support/history.js';

/** A scenario for every path through `captureBatch`, with few people. */
export const CAPTURE_BATCH_SCENARIOS: Record<string, () => Promise<History>> = {
  'capture-batch': () => playing(2),

  'capture-batch-one-fails': () =>
    playing(2, {
      prepare: ({ directory }, [person]) => unlink(join(directory, String(person?.front.uri).slice('file:'.length))),
    }),

  'capture-batch-attached': () =>
    playing(2, {
      prepare: async (world, [person]) => void (await world.run(person as CapturePerson)),
    }),

  'capture-batch-retried': () => playing(2, { more: { retryFailed: true, earlier: [null, { outcome: 'approved' }] } }),

  'capture-batch-paused-and-stopped': () =>
    playing(22, {
      prepare: holdUp,
      act: async (_, handle) => {
        await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(20);
        await handle.signal(BATCH_SIGNALS.pause);
        await expect.poll(async () => (await progressOfPeople(handle)).paused).toBe(true);
        await handle.signal(BATCH_SIGNALS.resume);
        await handle.signal(BATCH_SIGNALS.stop);
      },
    }),

  'capture-batch-continued': () =>
    playing(2, {
      prepare: holdUp,
      act: async (world, handle) => {
        await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(2);
        const { runId } = await handle.describe();
        while ((await handle.describe()).runId === runId) {
          await Promise.all(Array.from({ length: 20 }, () => handle.signal(BATCH_SIGNALS.resume)));
          // A run cannot continue as new while messages arrive all the time.
          await progressOfPeople(handle);
        }
        world.simulator.clearFaults();
      },
    }),

  'capture-batch-cancelled': () =>
    playing(1, {
      prepare: holdUp,
      act: async (_, handle) => {
        await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(1);
        await handle.cancel();
      },
    }),
};

interface Play {
  more?: Partial<CaptureBatchInput>;
  prepare?: (world: CaptureWorld, people: CapturePerson[]) => unknown;
  act?: (world: CaptureWorld, handle: PeopleHandle) => Promise<void>;
}

/** Nobody opens a session until the fault is cleared. */
function holdUp({ simulator }: CaptureWorld): void {
  simulator.fault({ operation: 'start', kind: 'status', status: 429, times: null });
}

async function playing(count: number, { more, prepare, act }: Play = {}): Promise<History> {
  await using world = await startCaptureWorld();
  const people = await severalPeople(world, count);
  await prepare?.(world, people);
  const handle = await startPeople(world, people, more);
  await act?.(world, handle);
  await handle.result().catch(() => undefined);
  return world.temporal.workflow.getHandle(handle.workflowId).fetchHistory();
}
