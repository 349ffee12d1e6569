import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../src/activities/batch/circuit-breaker.js';

describe('CircuitBreaker', () => {
  const trip = (breaker: CircuitBreaker, now: number, retryAfterMs = 0) => {
    for (let n = 0; n < 8; n += 1) breaker.failed('Incode answered 503', { retryAfterMs }, now);
  };

  it('stays closed after single failures', () => {
    const breaker = new CircuitBreaker();
    for (let n = 0; n < 100; n += 1) {
      breaker.failed('Incode answered 503', {}, n);
      if (n % 7 === 0) breaker.succeeded();
    }
    expect(breaker.hold(100)).toBeUndefined();
    expect(breaker.admit(100)).toBe('freely');
  });

  it('opens after eight failures in a row, and then admits one probe', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    expect(breaker.hold(0)).toEqual({ forMs: 1_000, why: 'Incode answered 503' });
    expect(breaker.admit(999)).toBe('no');
    expect(breaker.admit(1_000)).toBe('asProbe');
    expect(breaker.admit(1_000)).toBe('no');
  });

  it('doubles its pause after each failed probe, up to two minutes', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    const holds: number[] = [];
    for (let now = 0, n = 0; n < 9; n += 1) {
      now += breaker.hold(now)?.forMs ?? 0;
      expect(breaker.admit(now)).toBe('asProbe');
      breaker.failed('Incode answered 503', {}, now);
      holds.push(breaker.hold(now)?.forMs ?? 0);
    }
    expect(holds).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]);
  });

  it('pauses at most a minute for failures that an operator must fix', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    for (let now = 0, n = 0; n < 12; n += 1) {
      now += breaker.hold(now)?.forMs ?? 0;
      breaker.admit(now);
      breaker.failed('Incode answered 403', { retryAfterMs: 3_600_000, atMostMs: 60_000 }, now);
      expect(breaker.hold(now)?.forMs).toBeLessThanOrEqual(60_000);
    }
  });

  it('ignores failures of calls that were in flight when it opened', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    trip(breaker, 500);
    expect(breaker.hold(500)?.forMs).toBe(1_000);
    expect(breaker.admit(1_000)).toBe('asProbe');
  });

  it('pauses for the time in Retry-After', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0, 30_000);
    expect(breaker.hold(0)?.forMs).toBe(30_000);
  });

  it('closes after the first success', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.succeeded();
    expect(breaker.hold(1_000)).toBeUndefined();
    trip(breaker, 2_000);
    expect(breaker.hold(2_000)?.forMs).toBe(1_000);
  });

  it('reports the start and the end of an outage once each', () => {
    const told: boolean[] = [];
    const breaker = new CircuitBreaker((isTripped) => told.push(isTripped));
    breaker.succeeded();
    expect(told).toEqual([]);
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.failed('Incode answered 503', {}, 1_000);
    expect(told).toEqual([true]);
    breaker.admit(3_000);
    breaker.succeeded();
    breaker.succeeded();
    expect(told).toEqual([true, false]);
    trip(breaker, 5_000);
    expect(breaker.admit(6_000)).toBe('asProbe');
    expect(told).toEqual([true, false, true]);
  });

  it('admits another probe if the first one says nothing about Incode', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.abandoned();
    expect(breaker.admit(1_000)).toBe('asProbe');
  });
});
