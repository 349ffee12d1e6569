import { describe, expect, it } from 'vitest';
import {
  activitiesPerSecond,
  BusyTime,
  correction,
  needsMore,
  shareOf,
} from '../../../src/activities/batch/rate-share.js';

it('activitiesPerSecond returns the activities that make the allowed requests per second', () => {
  expect(activitiesPerSecond(100)).toBe(0.5);
  expect(activitiesPerSecond(0.1)).toBeCloseTo(0.1);
  expect(activitiesPerSecond(3)).toBe(0.5);
});

describe('the part of the rate limit that an activity uses', () => {
  it('is the whole limit with one partition', () => {
    expect(shareOf(100, 1)).toEqual({ requests: 200, intervalMs: 2_000 });
  });

  it.each([2, 3, 4, 8])('is the part of its partition with %i partitions', (partitions) => {
    const { requests, intervalMs, perSecond = 0 } = shareOf(100, partitions);
    expect(perSecond * partitions).toBeCloseTo(100);
    expect((requests / perSecond) * 1_000).toBeCloseTo(intervalMs);
    expect(partitions / intervalMs).toBeCloseTo(activitiesPerSecond(100, partitions) / 1_000);
    // An activity begins no session after ten seconds.
    expect(intervalMs).toBeLessThan(9_200);
  });

  it('is at least one request', () => {
    expect(shareOf(0.1, 4)).toMatchObject({ requests: 1, intervalMs: 40_000 });
  });
});

describe('correction', () => {
  it('with one partition lets an activity that starts too early wait, and omits the requests of that time', () => {
    const share = shareOf(100, 1);
    expect(correction(share, 0)).toEqual({ waitMs: 0, omit: 0 });
    expect(correction(share, 500)).toEqual({ waitMs: 1_500, omit: 150 });
    expect(correction(share, 2_000)).toEqual({ waitMs: 0, omit: 0 });
  });

  it('with several partitions omits the requests of the last second if the next activity may start that much earlier', () => {
    const share = shareOf(100, 4);
    expect(correction(share, 0)).toEqual({ waitMs: 0, omit: 25 });
    expect(correction(share, 999)).toEqual({ waitMs: 0, omit: 25 });
    expect(correction(share, 1_000)).toEqual({ waitMs: 0, omit: 0 });
    expect(correction(share, 1_000, true)).toEqual({ waitMs: 0, omit: 25 });
  });
});

it('BusyTime reports a pause during the first interval after it', () => {
  const busy = new BusyTime();
  const share = { requests: 1, intervalMs: 9_000 };
  const starts = [0, 8_999, 9_000, 26_000, 44_001, 44_002];
  expect(starts.map((at) => busy.isAfterPause(share, at))).toEqual([true, true, false, false, true, true]);
});

describe('needsMore', () => {
  it('is true if a task has waited for less than three activities of its partition', () => {
    const share = shareOf(100, 4);
    expect([0, 26_999, 27_000].map((waitedMs) => needsMore(share, waitedMs))).toEqual([true, true, false]);
  });

  it('is never true with one partition, which two activities of a shard keep busy', () => {
    expect(needsMore(shareOf(100, 1), 0)).toBe(false);
  });
});
