import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const NOW = 1_800_000_000_000;

const clocks = { wall: NOW, monotonic: 0 };
/** Imported again for each test, because it stores what it knows about the process. */
let standstill: typeof import('../../src/activities/standstill.js');
beforeEach(async () => {
  Object.assign(clocks, { wall: NOW, monotonic: 0 });
  vi.spyOn(Date, 'now').mockImplementation(() => clocks.wall);
  vi.spyOn(performance, 'now').mockImplementation(() => clocks.monotonic);
  vi.resetModules();
  standstill = await import('../../src/activities/standstill.js');
  standstill.watchStandstills();
});
afterEach(() => {
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  clocks.wall += ms;
  clocks.monotonic += ms;
}

/** Time in which the process runs. */
function run(seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    pass(1_000);
    new standstill.LeaseAfterStandstill('addFace').holds();
  }
}

interface Attempt {
  scheduledMsAgo?: number;
  /** Answers a heartbeat. */
  onHeartbeat?: () => void;
  /** Called while the image is read. */
  beforeSend?: () => void;
  /** Called while the request waits for a connection. */
  beforeFirstByte?: () => void;
}

/** @returns the number of heartbeats, the number of written requests, and the error */
async function upload({ scheduledMsAgo = 0, onHeartbeat, beforeSend, beforeFirstByte }: Attempt = {}) {
  let heartbeats = 0;
  let written = 0;
  const inScope = (_: unknown, work: () => Promise<unknown>) => work();
  const heartbeat = async () => {
    heartbeats += 1;
    onHeartbeat?.();
  };
  const client = { withDeadline: inScope, withAbortSignal: inScope, activity: { heartbeat } } as unknown as Client;
  const info = { heartbeatTimeoutMs: 10_000, currentAttemptScheduledTimestampMs: clocks.wall - scheduledMsAgo };
  const error = await new MockActivityEnvironment(info, { client }).run(async () => {
    const own = new standstill.LeaseAfterStandstill('addFrontId');
    beforeSend?.();
    const send = async (mayStillSend: () => boolean) => {
      beforeFirstByte?.();
      if (!mayStillSend()) throw new Error('withheld');
      written += 1;
    };
    return own.send(send).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  });
  return { heartbeats, written, error };
}

describe('LeaseAfterStandstill', () => {
  it('needs no heartbeat for an attempt that has waited for the rate limit', async () => {
    run(60);
    expect(await upload({ scheduledMsAgo: 60_000 })).toEqual({ heartbeats: 0, written: 1 });
  });

  it.each(['wall', 'monotonic'] as const)(
    'asks the server to confirm an attempt that begins after a standstill by the %s clock',
    async (clock) => {
      clocks[clock] += 5_000;
      expect(await upload()).toEqual({ heartbeats: 1, written: 1 });
    },
  );

  it('asks the server to confirm an attempt during which the process stood still', async () => {
    expect(await upload({ beforeSend: () => pass(5_000) })).toEqual({ heartbeats: 1, written: 1 });
  });

  it('asks again after each standstill, and no more half a minute after the last one', async () => {
    pass(40_000);
    run(29);
    expect((await upload()).heartbeats).toBe(1);
    run(2);
    expect((await upload()).heartbeats).toBe(0);
  });

  it('ignores a standstill that is too short for the server to replace an attempt', async () => {
    pass(4_999);
    expect(await upload()).toEqual({ heartbeats: 0, written: 1 });
  });

  it('sends nothing if the server has replaced the attempt', async () => {
    pass(40_000);
    const onHeartbeat = () => {
      throw new ActivityNotFoundError('not found');
    };
    const { written, error } = await upload({ onHeartbeat });
    expect(written).toBe(0);
    expect(error).toMatchObject({ isReplaced: true, operation: 'addFrontId' });
  });

  it('sends nothing if the process stands still while the request waits for a connection', async () => {
    const { written, error } = await upload({ beforeFirstByte: () => pass(5_000) });
    expect(written).toBe(0);
    expect(error).toMatchObject({ isReplaced: false, operation: 'addFrontId' });
  });
});
