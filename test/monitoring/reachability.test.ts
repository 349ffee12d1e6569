import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedReachability } from '../../src/monitoring/reachability.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('cachedReachability', () => {
  it('calls a server that answers at most every five seconds', async () => {
    const ask = vi.fn(async () => undefined);
    const isReachable = cachedReachability(ask);
    for (let second = 0; second < 10; second++) {
      expect(await isReachable()).toBe(true);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('makes one call at a time to a server that hangs, and returns false after two seconds', async () => {
    const ask = vi.fn(() => new Promise<void>(() => undefined));
    const isReachable = cachedReachability(ask);
    const answers = Array.from({ length: 50 }, () => isReachable());
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.all(answers)).toEqual(answers.map(() => false));
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('calls again at once after a failure', async () => {
    const ask = vi.fn(async () => undefined as unknown).mockRejectedValueOnce(new Error('away'));
    const isReachable = cachedReachability(ask);
    expect([await isReachable(), await isReachable()]).toEqual([false, true]);
  });
});
