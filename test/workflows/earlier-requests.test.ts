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

/** The run that executes the workflow. */
const info = { ...FIRST_RUN, firstExecutionRunId: 'r1' };
vi.mock('@temporalio/workflow', () => ({ workflowInfo: () => info }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  Object.assign(info, FIRST_RUN, { firstExecutionRunId: 'r1' });
  return () => {
    vi.useRealTimers();
  };
});

/** A reset gives the run a new id and keeps its original id. */
const reset = () => Object.assign(info, { runId: 'r2' });

function recordOf(more: Partial<SessionRecord> = {}): SessionRecord {
  return { earlierRequest: null, onboardingStatus: null, hints: [], ...more } as unknown as SessionRecord;
}

describe('mayFollowAnother', () => {
  it('returns false for a first run', () => {
    expect(mayFollowAnother(false)).toBe(false);
  });

  it('returns true after a reset', () => {
    reset();
    expect(mayFollowAnother(false)).toBe(true);
    expect(mayFollowAnother(true)).toBe(true);
  });

  it('returns true in a workflow retry', () => {
    info.attempt = 2;
    expect(mayFollowAnother(false)).toBe(true);
    expect(mayFollowAnother(true)).toBe(true);
  });

  it('returns true for a continued run only if it has no record', () => {
    info.firstExecutionRunId = 'r0';
    expect(mayFollowAnother(false)).toBe(true);
    expect(mayFollowAnother(true)).toBe(false);
  });
});

describe('earlierRequest', () => {
  const known = (record: Partial<SessionRecord>, input = {}) =>
    earlierRequest({ input: { interviewId: 'i', ...input }, record: recordOf(record) } as Session);

  it('keeps a known earlier request', () => {
    const earlier = { lastSentAt: 7 };
    expect(known({ earlierRequest: earlier, onboardingStatus: 'ONBOARDING_FINISHED' }, { verifyFirst: 'trust' })).toBe(
      earlier,
    );
  });

  it.each(['ONBOARDING_FINISHED', 'MANUAL_REVIEW_REJECTED'])(
    'may have been sent now if a webhook said %s',
    (onboardingStatus) => {
      expect(known({ onboardingStatus }, { verifyFirst: 'trust' })).toEqual({ lastSentAt: NOW });
    },
  );

  it('may have been sent now if a webhook that Incode has not confirmed reports a finish', () => {
    const hints = ['EXPIRED', 'ONBOARDING_FINISHED'];
    expect(known({ onboardingStatus: 'UNKNOWN', hints }, { verifyFirst: 'trust' })).toEqual({ lastSentAt: NOW });
  });

  it('may have been sent long ago by default', () => {
    expect(known({})).toEqual({ lastSentAt: null });
    expect(known({ onboardingStatus: 'POST_PROCESSING_FINISHED' })).toEqual({ lastSentAt: null });
    // Only `trust` skips the read of the status.
    expect(known({}, { verifyFirst: false })).toEqual({ lastSentAt: null });
  });

  it.each(['settle', true])('may have been sent now if the caller asks to settle: %s', (verifyFirst) => {
    expect(known({}, { verifyFirst })).toEqual({ lastSentAt: NOW });
  });

  it('does not exist if the caller asks to trust', () => {
    expect(known({}, { verifyFirst: 'trust' })).toBeNull();
  });
});

describe('verification', () => {
  it('returns trust without an earlier request', () => {
    expect(verification(recordOf())).toEqual({ verifyFirst: 'trust' });
  });

  it('returns look with the time of an earlier request that may still be running', () => {
    const of = (earlierRequest: SessionRecord['earlierRequest']) => verification(recordOf({ earlierRequest }));
    expect(of({ lastSentAt: 7 })).toEqual({ verifyFirst: 'look', lastSentAt: 7 });
    expect(of({ lastSentAt: 7, accepted: true })).toEqual({ verifyFirst: 'look', lastSentAt: 7, accepted: true });
    expect(of({ lastSentAt: null })).toEqual({ verifyFirst: 'look' });
  });

  it('returns look with the current time after a reset', () => {
    reset();
    for (const earlier of [null, { lastSentAt: null }, { lastSentAt: 7 }])
      expect(verification(recordOf({ earlierRequest: earlier }))).toEqual({ verifyFirst: 'look', lastSentAt: NOW });
  });
});

it('unlessReset keeps an earlier request and sets its time to now after a reset', () => {
  const earlier = { lastSentAt: 7 };
  expect(unlessReset(earlier)).toBe(earlier);
  expect(unlessReset(null)).toBeNull();
  reset();
  expect(unlessReset(null)).toEqual({ lastSentAt: NOW });
  expect(unlessReset({ lastSentAt: 7, accepted: true })).toEqual({ lastSentAt: NOW, accepted: true });
});

describe('finishedElsewhere', () => {
  it.each(['ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED'])('returns a finish for the status %s', (status) => {
    expect(finishedElsewhere(recordOf({ onboardingStatus: status }))).toEqual({
      finish: { action: null, redirectionUrl: null, confirmedBy: 'status' },
      onboardingStatus: status,
    });
  });

  it('says that only a webhook reported the finish', () => {
    const record = recordOf({ onboardingStatus: 'ONBOARDING_FINISHED', byWebhook: true });
    expect(finishedElsewhere(record)?.finish?.confirmedBy).toBe('webhook');
  });

  it('returns no finish for EXPIRED', () => {
    expect(finishedElsewhere(recordOf({ onboardingStatus: 'EXPIRED' }))).toEqual({
      finish: null,
      onboardingStatus: 'EXPIRED',
    });
  });

  it.each([null, 'UNKNOWN', 'POST_PROCESSING_FINISHED'])('is undefined for the status %s', (onboardingStatus) => {
    expect(finishedElsewhere(recordOf({ onboardingStatus }))).toBeUndefined();
  });
});
