import { describe, expect, it, vi } from 'vitest';
import { RequestPacer } from '../../../src/activities/batch/request-pacer.js';

describe('RequestPacer', () => {
  it('spaces requests evenly', () => {
    vi.useFakeTimers();
    try {
      const pace = new RequestPacer(100);
      expect(pace.turn(1_000)).toBeUndefined();
      expect(pace.turn(1_000)).toBeInstanceOf(Promise);
      expect(pace.turn(1_000)).toBeInstanceOf(Promise);
      // Three requests take 30 ms.
      expect(pace.backlog(1_000)).toBeCloseTo(3);
      expect(pace.backlog(1_030)).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves room for requests that follow each other without another turn', () => {
    const pace = new RequestPacer(100);
    expect(pace.turn(1_000, 3)).toBeUndefined();
    expect(pace.backlog(1_000)).toBeCloseTo(3);
  });

  it('does not catch up after a pause, which would be a burst', () => {
    const pace = new RequestPacer(100);
    pace.turn(0);
    expect(pace.turn(60_000)).toBeUndefined();
    expect(pace.backlog(60_000)).toBeCloseTo(1);
  });

  it('halves the rate when asked to shrink, and recovers within about 50 calls', () => {
    const pace = new RequestPacer(100);
    pace.shrink();
    pace.turn(0);
    // A request now takes 20 ms, so the backlog is one request.
    expect(pace.backlog(10)).toBeCloseTo(0.5);
    for (let call = 0; call < 50; call += 1) pace.grow();
    pace.turn(1_000);
    expect(pace.backlog(1_005)).toBeCloseTo(0.5);
  });

  it('does not delay requests without a rate', () => {
    const pace = new RequestPacer();
    pace.shrink();
    expect(Array.from({ length: 1_000 }, () => pace.turn()).every((wait) => wait === undefined)).toBe(true);
    expect(pace.backlog()).toBe(0);
  });
});
