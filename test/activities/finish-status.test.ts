import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createIncodeActivities, type FinishStatusInput } from '../../src/activities/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { type IncodeClient, IncodeError } from '../../src/incode/index.js';
import { namedSession, tokenNaming } from '../support/tokens.js';

const SCHEDULED = 1_700_000_000_000;
const MINUTE = 60_000;

interface Given {
  input?: Partial<FinishStatusInput>;
  attempt?: number;
  /** How long after the activity the attempt was scheduled. */
  afterMs?: number;
  heartbeatDetails?: unknown;
  status?: string;
  finish?: IncodeError;
}

/** Runs one attempt. @returns the calls to Incode, the result, and the details of the last heartbeat */
async function attempt({ input, attempt = 1, afterMs = 0, heartbeatDetails, status = 'UNKNOWN', finish }: Given) {
  const asked: string[] = [];
  const beats: unknown[] = [];
  const incode = {
    onboardingStatus: async () => {
      asked.push('status');
      return { onboardingStatus: status };
    },
    finishStatus: async () => {
      asked.push('finish');
      if (finish) throw finish;
      return { action: 'approved', redirectionUrl: null };
    },
  } as unknown as IncodeClient;
  const environment = new MockActivityEnvironment({
    attempt,
    heartbeatDetails,
    scheduledTimestampMs: SCHEDULED,
    currentAttemptScheduledTimestampMs: SCHEDULED + afterMs,
  });
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const { finishStatus } = createIncodeActivities({ incode });
  const session: FinishStatusInput = { ...namedSession(), ...input };
  const came = await environment.run(finishStatus, session).catch((error: unknown) => error);
  return { asked, came, left: beats.at(-1) };
}

const lost = new IncodeError({
  kind: 'maybeRunning',
  operation: 'finishStatus',
  what: 'answered 504',
  httpStatus: 504,
});
const malformed = new IncodeError({ kind: 'resultUnknown', operation: 'finishStatus', what: 'x', httpStatus: 200 });

describe('finishStatus, first attempt', () => {
  it.each<[FinishStatusInput['verifyFirst'], string[]]>([
    [undefined, ['status', 'finish']],
    ['look', ['status', 'finish']],
    ['trust', ['finish']],
    ['settle', ['status']],
    // From callers of earlier versions, in which nothing waited.
    [true, ['status', 'finish']],
    [false, ['status', 'finish']],
  ])('the first attempt with verifyFirst %s makes the calls %j', async (verifyFirst, expected) => {
    const { asked } = await attempt({ input: verifyFirst === undefined ? {} : { verifyFirst } });
    expect(asked).toEqual(expected);
  });

  it('considers earlier requests that its caller reports', async () => {
    const settling = await attempt({ input: { lastSentAt: SCHEDULED - 1_000 } });
    expect(settling.came).toMatchObject({ type: FAILURES.settling });
    const accepted = await attempt({ input: { lastSentAt: SCHEDULED - MINUTE, accepted: true } });
    expect(accepted.came).toMatchObject({ type: FAILURES.unconfirmed });
    expect(accepted.asked).toEqual(['status']);
    expect((await attempt({ input: { accepted: true } })).came).toMatchObject({ type: FAILURES.unconfirmed });
  });

  it('records in its heartbeat what it has sent', async () => {
    expect((await attempt({ finish: lost })).left).toEqual({ attempt: 1, lastSentAt: 'inThisAttempt' });
    const { left } = await attempt({ finish: malformed });
    expect(left).toEqual({ attempt: 1, lastSentAt: 'inThisAttempt', accepted: true });
  });
});

describe('finishStatus, later attempt', () => {
  it('reads the status first, even with trust', async () => {
    const trace = { attempt: 1, lastSentAt: null };
    const { asked } = await attempt({ attempt: 2, heartbeatDetails: trace, input: { verifyFirst: 'trust' } });
    expect(asked).toEqual(['status', 'finish']);
  });

  it('waits for the settle time after a request of the earlier attempt', async () => {
    const trace = { attempt: 1, lastSentAt: 'inThisAttempt' };
    const { asked, came, left } = await attempt({ attempt: 2, afterMs: 1_000, heartbeatDetails: trace });
    expect(asked).toEqual(['status']);
    expect(came).toMatchObject({ type: FAILURES.settling });
    expect(left).toEqual({ attempt: 2, lastSentAt: SCHEDULED + 1_000 });
  });

  it('assumes that an attempt that died has sent a request', async () => {
    for (const heartbeatDetails of [undefined, { attempt: 1, lastSentAt: null }]) {
      const { came } = await attempt({ attempt: 3, afterMs: MINUTE, heartbeatDetails });
      expect(came).toMatchObject({ type: FAILURES.settling });
    }
  });

  it('never repeats an accepted request, even if the attempt in between died', async () => {
    const sentAt = SCHEDULED + 1_000;
    for (const trace of [
      { attempt: 1, lastSentAt: sentAt, accepted: true },
      { attempt: 0, lastSentAt: sentAt, accepted: true },
    ]) {
      const { asked, came, left } = await attempt({ attempt: 3, afterMs: 5 * MINUTE, heartbeatDetails: trace });
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ type: FAILURES.unconfirmed });
      expect(left).toEqual({ attempt: 3, lastSentAt: sentAt, accepted: true });
    }
  });

  it('stops waiting for the status 15 minutes after the request was sent', async () => {
    const trace = { attempt: 1, lastSentAt: SCHEDULED, accepted: true };
    const early = await attempt({ attempt: 2, afterMs: 14 * MINUTE, heartbeatDetails: trace });
    expect(early.came).toMatchObject({ type: FAILURES.unconfirmed });
    const late = await attempt({ attempt: 2, afterMs: 15 * MINUTE, heartbeatDetails: trace });
    expect(late.came).toMatchObject({ finish: { confirmedBy: 'unconfirmed' } });
  });
});

it('finishStatus records an accepted request in a confirmed heartbeat before it confirms the answer', async () => {
  const events: string[] = [];
  let accepted: unknown;
  const inScope = (_: unknown, work: () => Promise<unknown>) => work();
  const client = {
    withDeadline: inScope,
    withAbortSignal: inScope,
    activity: {
      heartbeat: async (_: unknown, details: unknown) => {
        events.push('heartbeat');
        accepted = details;
      },
    },
  } as unknown as Client;
  const incode = {
    onboardingStatus: async () => {
      events.push('status');
      return { onboardingStatus: events.includes('finish') ? 'ONBOARDING_FINISHED' : 'UNKNOWN' };
    },
    finishStatus: async () => {
      events.push('finish');
      return { action: 'approved', redirectionUrl: null };
    },
  } as unknown as IncodeClient;
  const scheduledAt = Date.now();
  const now = { scheduledTimestampMs: scheduledAt, currentAttemptScheduledTimestampMs: scheduledAt };
  const environment = new MockActivityEnvironment({ ...now, heartbeatTimeoutMs: 10_000 }, { client });
  const { finishStatus } = createIncodeActivities({ incode });
  const came = await environment.run(finishStatus, { ...namedSession(), sessionToken: 'opaque' });
  expect(came).toMatchObject({ finish: { action: 'approved' } });
  expect(came).not.toHaveProperty('toBeConfirmed');
  // A heartbeat may also precede the finish: other tests of this process may have made the server's clock seem far ahead.
  expect(events.slice(events.indexOf('finish'))).toEqual(['finish', 'heartbeat', 'status']);
  expect(accepted).toEqual({ attempt: 1, lastSentAt: 'inThisAttempt', accepted: true });
});

it('finishStatus fails permanently for a token of another session, with the facts about earlier requests', async () => {
  const input = { interviewId: 'i-1', sessionToken: tokenNaming('i-2'), lastSentAt: SCHEDULED };
  const { asked, came } = await attempt({ input });
  expect(asked).toEqual([]);
  expect(came).toMatchObject({
    type: FAILURES.tokenMismatch,
    nonRetryable: true,
    details: [{ interviewId: 'i-1', operation: 'onboardingStatus', lastSentAt: SCHEDULED }],
  });
});
