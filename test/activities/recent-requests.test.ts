import { describe, expect, it } from 'vitest';
import { forget, recall, remember } from '../../src/activities/recent-requests.js';

const KEPT_MS = 1_000;
let ids = 0;
const newId = () => `recent-${++ids}`;

describe('remember, recall and forget', () => {
  it('returns a request until it is too old', () => {
    const id = newId();
    remember(id, { sentMsAgo: 100, accepted: false }, KEPT_MS, 5_000);
    expect(recall(id, 5_899)).toEqual({ sentMsAgo: 999, accepted: false });
    expect(recall(id, 5_900)).toBeUndefined();
  });

  it('keeps the latest request of a session, and that one was accepted', () => {
    const id = newId();
    remember(id, { sentMsAgo: 0, accepted: true }, KEPT_MS, 5_000);
    remember(id, { sentMsAgo: 500, accepted: false }, KEPT_MS, 5_100);
    expect(recall(id, 5_100)).toEqual({ sentMsAgo: 100, accepted: true });
    remember(id, { sentMsAgo: 0, accepted: false }, KEPT_MS, 5_200);
    expect(recall(id, 5_200)).toEqual({ sentMsAgo: 0, accepted: true });
  });

  it('returns nothing after forget', () => {
    const id = newId();
    remember(id, { sentMsAgo: 0, accepted: true }, KEPT_MS, 5_000);
    forget(id);
    expect(recall(id, 5_000)).toBeUndefined();
  });
});

it('remembers 100,000 sessions and forgets the oldest first', () => {
  const first = newId();
  remember(first, { sentMsAgo: 0, accepted: true }, KEPT_MS, 9_000);
  for (let n = 1; n < 100_000; n += 1) remember(newId(), { sentMsAgo: 0, accepted: true }, KEPT_MS, 9_000);
  expect(recall(first, 9_000)).toBeDefined();
  // A session that is remembered again counts as new.
  remember(first, { sentMsAgo: 0, accepted: true }, KEPT_MS, 9_001);
  const second = `recent-${ids - 99_998}`;
  expect(recall(second, 9_001)).toBeDefined();
  remember(newId(), { sentMsAgo: 0, accepted: true }, KEPT_MS, 9_001);
  expect(recall(first, 9_001)).toBeDefined();
  expect(recall(second, 9_001)).toBeUndefined();
});
