import { ActivityCompletionError, ActivityNotFoundError, type Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncodeClient } from '../../src/incode/index.js';

const HEARTBEAT_TIMEOUT_MS = 10_000;
const LEASE_MS = HEARTBEAT_TIMEOUT_MS / 2;
const NOW = 1_800_000_000_000;
const session = { interviewId: 'one', sessionToken: 'token' };

const clocks = { wall: NOW, monotonic: 0 };
/** Imports the module again for each test, because it stores what it knows about the server's clock. */
let lease: typeof import('../../src/activities/lease.js');
beforeEach(async () => {
  Object.assign(clocks, { wall: NOW, monotonic: 0 });
  vi.spyOn(Date, 'now').mockImplementation(() => clocks.wall);
  vi.spyOn(performance, 'now').mockImplementation(() => clocks.monotonic);
  vi.resetModules();
  lease = await import('../../src/activities/lease.js');
});
afterEach(() => {
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  clocks.wall += ms;
  clocks.monotonic += ms;
}

interface Attempt {
  scheduledMsAgo?: number;
  /** Answers a heartbeat. */
  onHeartbeat?: () => void;
  beforeFinish?: () => void;
  /** Called while the request waits for a connection. */
  beforeFirstByte?: () => void;
}

/** @returns the number of answered heartbeats, the number of written requests, and the error */
async function finish({ scheduledMsAgo = 0, onHeartbeat, beforeFinish, beforeFirstByte }: Attempt) {
  let heartbeats = 0;
  let written = 0;
  const client = clientThat(() => {
    heartbeats += 1;
    onHeartbeat?.();
  });
  const incode = {
    finishStatus: async (_: unknown, { mayStillSend }: { mayStillSend: () => boolean }) => {
      beforeFirstByte?.();
      if (!mayStillSend()) throw new Error('withheld');
      written += 1;
    },
  } as unknown as IncodeClient;
  const info = {
    heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
    currentAttemptScheduledTimestampMs: clocks.wall - scheduledMsAgo,
  };
  const error = await new MockActivityEnvironment(info, { client }).run(async () => {
    const leased = lease.leased(incode, new lease.Lease(), () => undefined);
    beforeFinish?.();
    return leased.finishStatus(session).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  });
  return { heartbeats, written, error };
}

function clientThat(heartbeat: () => void): Client {
  const inScope = (_: unknown, work: () => Promise<unknown>) => work();
  return {
    withDeadline: inScope,
    withAbortSignal: inScope,
    activity: { heartbeat: async () => heartbeat() },
  } as unknown as Client;
}

describe('Lease', () => {
  it('needs no heartbeat for an attempt that starts at once', async () => {
    expect(await finish({ beforeFinish: () => pass(LEASE_MS - 1) })).toEqual({ heartbeats: 0, written: 1 });
  });

  it('asks the server to confirm an attempt that starts late', async () => {
    expect(await finish({ scheduledMsAgo: LEASE_MS })).toEqual({ heartbeats: 1, written: 1 });
  });

  it('asks the server to confirm an attempt that was frozen before it finishes the session', async () => {
    expect(await finish({ beforeFinish: () => pass(LEASE_MS) })).toEqual({ heartbeats: 1, written: 1 });
  });

  it.each(['wall', 'monotonic'] as const)('expires when only the %s clock has advanced', async (clock) => {
    const beforeFinish = () => {
      clocks[clock] += LEASE_MS;
    };
    expect((await finish({ beforeFinish })).heartbeats).toBe(1);
  });

  it('does not last longer if the wall clock is set back', async () => {
    const beforeFinish = () => {
      clocks.wall -= 60_000;
      clocks.monotonic += LEASE_MS;
    };
    expect((await finish({ beforeFinish })).heartbeats).toBe(1);
  });

  it('detects a late attempt even if the clock of the machine is behind', async () => {
    await finish({ scheduledMsAgo: -60_000 });
    expect((await finish({ scheduledMsAgo: LEASE_MS - 60_000 })).heartbeats).toBe(1);
  });

  it.each([
    ['another attempt has taken over', new ActivityNotFoundError('Not found'), true],
    ['the server does not answer', new ActivityCompletionError('Deadline exceeded'), false],
  ])('sends nothing when %s', async (_, refusal, isReplaced) => {
    const onHeartbeat = () => {
      throw refusal;
    };
    const { written, error } = await finish({ scheduledMsAgo: LEASE_MS, onHeartbeat });
    expect(written).toBe(0);
    expect(error).toBeInstanceOf(lease.NotCurrentError);
    expect(error).toMatchObject({ kind: 'notTaken', operation: 'finishStatus', isReplaced });
  });

  it('does not ask again after the server has refused', async () => {
    const refused = clientThat(() => {
      throw new ActivityNotFoundError('Not found');
    });
    // An activity may run without a workflow.
    const info = {
      currentAttemptScheduledTimestampMs: clocks.wall,
      workflowExecution: undefined,
      inWorkflow: false,
    } as never;
    await new MockActivityEnvironment(info, { client: refused }).run(async () => {
      const own = new lease.Lease();
      await expect(own.renew(undefined)).rejects.toBeInstanceOf(lease.NotCurrentError);
      await expect(own.renew(undefined)).rejects.toBeInstanceOf(lease.NotCurrentError);
      expect([own.isLost, own.holds()]).toEqual([true, false]);
    });
  });

  it('starts when the heartbeat is sent, not when it is answered', async () => {
    const onHeartbeat = () => pass(LEASE_MS);
    expect(await finish({ scheduledMsAgo: LEASE_MS, onHeartbeat })).toMatchObject({ heartbeats: 1, written: 0 });
  });

  it('is checked again when the request gets its connection', async () => {
    const { written, error } = await finish({ beforeFirstByte: () => pass(LEASE_MS) });
    expect(written).toBe(0);
    expect(error).toBeInstanceOf(lease.NotCurrentError);
  });

  it('lasts half the start-to-close timeout without a heartbeat timeout, and forever without a server', async () => {
    const holds = (client: Client | undefined, afterMs: number) =>
      new MockActivityEnvironment(
        { startToCloseTimeoutMs: 60_000, currentAttemptScheduledTimestampMs: clocks.wall },
        client ? { client } : {},
      ).run(async () => {
        const own = new lease.Lease();
        pass(afterMs);
        return own.holds();
      });
    const client = clientThat(() => undefined);
    expect(await holds(client, 29_999)).toBe(true);
    expect(await holds(client, 30_000)).toBe(false);
    expect(await holds(undefined, 600_000)).toBe(true);
  });
});
