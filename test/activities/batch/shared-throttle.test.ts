import { describe, expect, it, vi } from 'vitest';
import { SharedThrottle } from '../../../src/activities/batch/shared-throttle.js';
import { IncodeError } from '../../../src/incode/index.js';

describe('SharedThrottle', () => {
  const answered = (httpStatus: number) =>
    new IncodeError({ kind: 'notTaken', operation: 'finishStatus', what: `answered ${httpStatus}`, httpStatus });

  it('slows down once for calls that are refused together', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000, perSecond: undefined });
    for (let n = 0; n < 5; n += 1) throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
    const free = Array.from({ length: 16 }, () => throttle.slots.acquire()).filter((wait) => wait === undefined);
    expect(free).toHaveLength(8);
  });

  const freeSlots = ({ slots }: SharedThrottle) =>
    Array.from({ length: 16 }, () => slots.acquire()).filter((wait) => wait === undefined).length;

  it('slows down again for a refusal that comes a second later', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
      throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
      vi.advanceTimersByTime(1_000);
      throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
      expect(freeSlots(throttle)).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it('speeds up with successes, which also end a series of failures', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    for (let n = 0; n < 7; n += 1) throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
    for (let n = 0; n < 200; n += 1) throttle.report({ end: { finish: null } });
    throttle.report({ open: {}, dueInMs: 0, error: answered(503) });
    expect(throttle.breaker.hold()).toBeUndefined();
    expect(freeSlots(throttle)).toBe(16);
  });

  it('admits nothing for the time in Retry-After', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    const error = new IncodeError({
      kind: 'notTaken',
      operation: 'finishStatus',
      what: 'answered 503',
      httpStatus: 503,
      retryAfterMs: 90_000,
    });
    for (let n = 0; n < 8; n += 1) throttle.report({ open: {}, dueInMs: 0, error });
    expect(throttle.breaker.hold()?.forMs).toBeGreaterThan(80_000);
  });

  it('admits sessions at once after refusals of an API key that has been replaced since', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    const refused = new IncodeError({
      kind: 'apiKeyRefused',
      operation: 'finishStatus',
      what: 'answered 403',
      httpStatus: 403,
    });
    for (let n = 0; n < 8; n += 1) throttle.report({ open: {}, dueInMs: 0, error: refused });
    expect(throttle.breaker.hold()).toBeDefined();
    const other = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    for (let n = 0; n < 8; n += 1) other.report({ open: {}, dueInMs: 0, error: answered(403) });
    expect(other.breaker.hold()).toBeUndefined();
  });

  it('does not slow down after failures that are not rate limits', () => {
    const throttle = new SharedThrottle({ concurrency: 2, operatorRetryMs: 60_000 });
    throttle.report({ open: {}, dueInMs: 0, error: answered(503) });
    expect([throttle.slots.acquire(), throttle.slots.acquire()]).toEqual([undefined, undefined]);
  });

  it('does not count failures of a token source as failures of Incode', () => {
    const throttle = new SharedThrottle({ concurrency: 1, operatorRetryMs: 60_000 });
    for (let n = 0; n < 20; n += 1) throttle.report({ open: {}, dueInMs: 0, error: new Error('The vault is closed') });
    expect(throttle.breaker.hold()).toBeUndefined();
  });
});
