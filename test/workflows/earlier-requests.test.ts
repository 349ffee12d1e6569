import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  earlierRequest,
  finishedElsewhere,
  mayFollowAnother,
  unlessReset,
  verification,
} from '../../src/workflows/earlier-requests.js';
import type { SessionRecord } from '../../src/workflows/record.js';
import type { Session } from '../../src/workflows/session.js';

const NOW = 1_700_000_000_000;
const FIRST_RUN = { runId: 'r1', originalExecutionRunId: 'r1', attempt: 1 };

/** Where the workflow runs. */
const info = { ...FIRST_RUN, firstExecutionRunId: 'r1' };
vi.mock('@temporalio/workflow', () => ({ workflowInfo: () => info }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  Object.assign(info, FIRST_RUN, { firstExecutionRunId: 'r1' });
  return () => {
    vi.useRealTimers();
  };
});

/** As the server makes it: the run has a new id, and keeps that under which its history began. */
const reset = () => Object.assign(info, { runId: 'r2' });

function recordOf(more: Partial<SessionRecord> = {}): SessionRecord {
  return { earlierRequest: null, onboardingStatus: null, hints: [], ...more } as unknown as SessionRecord;
}

describe('a run may follow another that was under way until just now', () => {
  it('not if it is the first one', () => {
    expect(mayFollowAnother({ interviewId: 'i' }, false)).toBe(false);
    expect(mayFollowAnother({ interviewId: 'i', verifyFirst: 'trust' }, false)).toBe(false);
  });

  it('if its caller says so', () => {
    expect(mayFollowAnother({ interviewId: 'i', verifyFirst: 'settle' }, false)).toBe(true);
    expect(mayFollowAnother({ interviewId: 'i', verifyFirst: true }, false)).toBe(true);
  });

  it('after a reset', () => {
    reset();
    expect(mayFollowAnother({ interviewId: 'i' }, false)).toBe(true);
    expect(mayFollowAnother({ interviewId: 'i' }, true)).toBe(true);
  });

  it('as a workflow retry', () => {
    info.attempt = 2;
    expect(mayFollowAnother({ interviewId: 'i' }, false)).toBe(true);
    expect(mayFollowAnother({ interviewId: 'i' }, true)).toBe(true);
  });

  it('if it goes on without a record, but not with one, which tells of earlier requests', () => {
    info.firstExecutionRunId = 'r0';
    expect(mayFollowAnother({ interviewId: 'i' }, false)).toBe(true);
    expect(mayFollowAnother({ interviewId: 'i', verifyFirst: 'settle' }, true)).toBe(false);
  });
});

describe("before a run's first call", () => {
  const known = (record: Partial<SessionRecord>, input = {}) =>
    earlierRequest({ input: { interviewId: 'i', ...input }, record: recordOf(record) } as Session);

  it('what is known of an earlier request stays known', () => {
    const earlier = { lastSentAt: 7 };
    expect(known({ earlierRequest: earlier, onboardingStatus: 'ONBOARDING_FINISHED' }, { verifyFirst: 'trust' })).toBe(
      earlier,
    );
  });

  it.each(['ONBOARDING_FINISHED', 'MANUAL_REVIEW_REJECTED'])(
    'whoever made it %s, according to a webhook, may have done so just now',
    (onboardingStatus) => {
      expect(known({ onboardingStatus }, { verifyFirst: 'trust' })).toEqual({ lastSentAt: NOW });
    },
  );

  it('somebody else may have finished the session long ago', () => {
    expect(known({})).toEqual({ lastSentAt: null });
    expect(known({ onboardingStatus: 'POST_PROCESSING_FINISHED' })).toEqual({ lastSentAt: null });
    expect(known({}, { verifyFirst: 'settle' })).toEqual({ lastSentAt: null });
    // Only the word `trust` skips the look.
    expect(known({}, { verifyFirst: false })).toEqual({ lastSentAt: null });
  });

  it('nobody can have if the caller says so', () => {
    expect(known({}, { verifyFirst: 'trust' })).toBeNull();
  });
});

describe('what a call is told', () => {
  it('is that it can trust that nobody has sent anything', () => {
    expect(verification(recordOf())).toEqual({ verifyFirst: 'trust' });
  });

  it('is when a request was last sent that may still be running', () => {
    const told = (earlierRequest: SessionRecord['earlierRequest']) => verification(recordOf({ earlierRequest }));
    expect(told({ lastSentAt: 7 })).toEqual({ verifyFirst: 'look', lastSentAt: 7 });
    expect(told({ lastSentAt: 7, accepted: true })).toEqual({ verifyFirst: 'look', lastSentAt: 7, accepted: true });
    expect(told({ lastSentAt: null })).toEqual({ verifyFirst: 'look' });
  });

  it('is "now" after a reset, whatever stands in the history that it has left', () => {
    reset();
    for (const earlier of [null, { lastSentAt: null }, { lastSentAt: 7 }])
      expect(verification(recordOf({ earlierRequest: earlier }))).toEqual({ verifyFirst: 'look', lastSentAt: NOW });
  });
});

it('what the next run is told is what this one knows, unless it was reset', () => {
  const earlier = { lastSentAt: 7 };
  expect(unlessReset(earlier)).toBe(earlier);
  expect(unlessReset(null)).toBeNull();
  reset();
  expect(unlessReset(null)).toEqual({ lastSentAt: NOW });
  expect(unlessReset({ lastSentAt: 7, accepted: true })).toEqual({ lastSentAt: NOW, accepted: true });
});

describe('a session without a token', () => {
  it.each(['ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED'])('was finished elsewhere if it is %s', (status) => {
    expect(finishedElsewhere(recordOf({ onboardingStatus: status }))).toEqual({
      finish: { action: null, redirectionUrl: null, confirmedBy: 'status' },
      onboardingStatus: status,
    });
  });

  it('was finished according to a webhook if nothing else says so', () => {
    const record = recordOf({ onboardingStatus: 'ONBOARDING_FINISHED', byWebhook: true });
    expect(finishedElsewhere(record)?.finish?.confirmedBy).toBe('webhook');
  });

  it('can never be if it is EXPIRED', () => {
    expect(finishedElsewhere(recordOf({ onboardingStatus: 'EXPIRED' }))).toEqual({
      finish: null,
      onboardingStatus: 'EXPIRED',
    });
  });

  it.each([null, 'UNKNOWN', 'POST_PROCESSING_FINISHED'])('waits for one if it is %s', (onboardingStatus) => {
    expect(finishedElsewhere(recordOf({ onboardingStatus }))).toBeUndefined();
  });
});
