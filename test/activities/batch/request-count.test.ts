import { describe, expect, it } from 'vitest';
import { requestsOf, sessionsPerActivity } from '../../../src/activities/batch/request-count.js';
import type { BulkProgress } from '../../../src/activities/batch/types.js';
import { namedSession } from '../../support/tokens.js';

const PLAN = { close: true, score: true, scoreDeadlineMs: 0 };
const finish = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } as const;
const executive = { token: async () => 'executive' };

describe('requestsOf', () => {
  it.each<[string, number, BulkProgress, boolean]>([
    ['a session that was not begun', 4, {}, false],
    ['one that is sent without a look', 3, {}, true],
    ['one that may have been sent, also then', 4, { verify: true }, true],
    ['one that is finished', 2, { finish, confirmed: true }, false],
    ['one that is closed too', 1, { finish, confirmed: true, closed: false }, false],
  ])('counts the requests of %s: %i', (_, requests, done, trust) => {
    const session = { ...namedSession(), index: 0, done };
    expect(requestsOf(session, {}, { plan: PLAN, trust })).toBe(requests);
  });

  it('counts the reads with the executive token', () => {
    const session = { ...namedSession(), index: 0 };
    expect(requestsOf(session, { executive }, { plan: PLAN })).toBe(6);
    expect(requestsOf(session, { executive }, { plan: PLAN, trust: true })).toBe(4);
  });

  it('counts the token that replaces one that was refused', () => {
    const tokenSource = { token: async () => 'fresh' };
    const session = { ...namedSession(), index: 0 };
    expect(requestsOf(session, { tokenSource }, { plan: PLAN })).toBe(4);
    expect(requestsOf({ ...session, done: { renew: true } }, { tokenSource }, { plan: PLAN })).toBe(5);
  });

  it('counts a confirmation while it is to come', () => {
    const session = { ...namedSession(), sessionToken: 'opaque', index: 0 };
    expect(requestsOf({ ...session, done: { finish, confirmBy: 1 } }, {}, { plan: PLAN })).toBe(3);
    expect(requestsOf({ ...session, done: { finish, confirmed: true } }, {}, { plan: PLAN })).toBe(2);
  });
});

describe('sessionsPerActivity', () => {
  const limits = { share: { requests: 24, withinMs: 2_000 }, chunk: 500 };

  it.each([
    ['a look, a finish, close and score', 6, {}, false],
    ['no look', 8, {}, true],
    ['both looks and a confirmation', 4, { executive }, false],
    ['a confirmation and no look', 6, { executive }, true],
  ])('leaves room for %s', (_, sessions, options, trust) => {
    expect(sessionsPerActivity(limits, options, { plan: PLAN, trust })).toBe(sessions);
  });

  it('is one at least, and no more than an activity has without a rate limit', () => {
    expect(sessionsPerActivity({ share: { requests: 1 }, chunk: 500 }, {}, { plan: PLAN })).toBe(1);
    expect(sessionsPerActivity({ share: { requests: 9_000 }, chunk: 500 }, {}, { plan: PLAN })).toBe(500);
    expect(sessionsPerActivity({ share: undefined, chunk: 500 }, {}, { plan: PLAN })).toBe(500);
  });
});
