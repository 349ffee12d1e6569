import { describe, expect, it, vi } from 'vitest';
import { HTTP_STATUS, Refusal, Tally, type WebhookEvent } from '../../src/webhook/results.js';

describe('Tally', () => {
  it('counts every result from 0 and protects its counts from changes', () => {
    const tally = new Tally(undefined);
    expect(Object.keys(tally.counts)).toEqual(Object.keys(HTTP_STATUS));
    expect(Object.values(tally.counts).every((count) => count === 0)).toBe(true);
    tally.record('delivery', { result: 'delivered', body: {} }, 0);
    Object.assign(tally.counts, { delivered: 9 });
    expect(tally.counts).toMatchObject({ delivered: 1, ignored: 0 });
  });

  it('logs the result of a request, its duration and its facts', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const events: WebhookEvent[] = [];
      const tally = new Tally((event) => events.push(event));
      vi.advanceTimersByTime(100);
      const startedAt = performance.now();
      vi.advanceTimersByTime(7);
      tally.record('token', { result: 'unauthenticated', body: { a: 1 }, facts: { reason: 'it is wrong' } }, startedAt);
      expect(events).toEqual([
        { endpoint: 'token', result: 'unauthenticated', httpStatus: 401, durationMs: 7, reason: 'it is wrong' },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('counts a request even if the log throws', () => {
    const tally = new Tally(() => {
      throw new Error('disk full');
    });
    tally.record('delivery', { result: 'ignored', body: {} }, 0);
    expect(tally.counts.ignored).toBe(1);
  });
});

it('Refusal has the message, the field and the headers of the answer', () => {
  expect(new Refusal('malformed', 'body must be JSON', 'body')).toMatchObject({
    name: 'Refusal',
    result: 'malformed',
    message: 'body must be JSON',
    field: 'body',
    headers: {},
    facts: {},
  });
  expect(new Refusal('wrongMethod', 'not so', undefined, { allow: 'POST' }).headers).toEqual({ allow: 'POST' });
});
