import { describe, expect, it } from 'vitest';
import { type EarlierRequests, finishOnce } from '../../src/activities/finish-once.js';
import type { ActivityEvent } from '../../src/activities/observe.js';
import { type IncodeClient, IncodeError, type IncodeErrorKind, type IncodeOperation } from '../../src/incode/index.js';

const SETTLE_MS = 30_000;
const NOW = 1_000_000;
const SESSION = { interviewId: 'i-1', sessionToken: 'token' };
const ANSWER = { action: 'approved', redirectionUrl: 'https://bank.example/' };

interface Answers {
  status?: string | IncodeError;
  finish?: IncodeError;
}

function errorOf(operation: IncodeOperation, kind: IncodeErrorKind): IncodeError {
  return new IncodeError({ kind, operation, what: 'answered' });
}

const finishError = (kind: IncodeErrorKind) => errorOf('finishStatus', kind);

/** One attempt with an Incode that answers so; what was asked of it, in order; and what was told. */
async function attempt(answers: Answers, earlier: Partial<EarlierRequests> = {}) {
  const asked: string[] = [];
  const told: ActivityEvent[] = [];
  const { signal } = new AbortController();
  const answer = async <T>(operation: string, value: T | IncodeError, ...call: unknown[]): Promise<T> => {
    asked.push(operation);
    expect(call).toEqual([SESSION, { signal }]);
    if (value instanceof Error) throw value;
    return value;
  };
  const incode = {
    finishStatus: (...call: unknown[]) => answer('finish', answers.finish ?? ANSWER, ...call),
    onboardingStatus: (...call: unknown[]) => {
      const { status = 'UNKNOWN' } = answers;
      return answer('status', status instanceof Error ? status : { onboardingStatus: status }, ...call);
    },
  } as unknown as IncodeClient;
  const came = await finishOnce(
    { incode, settleTimeMs: SETTLE_MS, observe: (event) => told.push(event) },
    SESSION,
    { verify: false, lastSentAt: undefined, now: () => NOW, ...earlier },
    signal,
  );
  return { came, asked, told };
}

const OPEN = ['UNKNOWN', 'SOMETHING_NEW', 'ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED'];
const OVER = [
  ...['ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED'].map((onboardingStatus) => ({
    onboardingStatus,
    finish: { action: null, redirectionUrl: null, confirmedBy: 'status' },
  })),
  { onboardingStatus: 'EXPIRED', finish: null },
];

describe('the first request', () => {
  it('is sent without a look', async () => {
    const { came, asked, told } = await attempt({});
    expect(came).toEqual({
      result: { finish: { ...ANSWER, confirmedBy: 'response' }, onboardingStatus: 'ONBOARDING_FINISHED' },
    });
    expect(asked).toEqual(['finish']);
    expect(told).toEqual([]);
  });
});

describe('a request that may not be the first', () => {
  it.each(OVER)('is not sent if the session is $onboardingStatus', async (result) => {
    for (const earlier of [{ verify: true }, { lastSentAt: NOW }]) {
      const { came, asked, told } = await attempt({ status: result.onboardingStatus }, earlier);
      expect(came).toEqual({ result });
      expect(asked).toEqual(['status']);
      expect(told).toEqual([{ type: 'verification', result: result.finish ? 'finished' : 'expired' }]);
    }
  });

  it.each(OPEN)('is sent if the session is %s, and nothing earlier can be running', async (status) => {
    for (const earlier of [{ verify: true }, { lastSentAt: NOW - SETTLE_MS }]) {
      const { came, asked, told } = await attempt({ status }, earlier);
      expect(came).toHaveProperty('result.finish.confirmedBy', 'response');
      expect(asked).toEqual(['status', 'finish']);
      expect(told).toEqual([{ type: 'verification', result: 'open' }]);
    }
  });

  it('waits for what an earlier one may still do', async () => {
    const lastSentAt = NOW - SETTLE_MS + 1;
    for (const verify of [true, false]) {
      const { came, asked, told } = await attempt({}, { verify, lastSentAt });
      expect(came).toEqual({ settlesInMs: 1, lastSentAt });
      expect(asked).toEqual(['status']);
      expect(told).toEqual([{ type: 'verification', result: 'open' }]);
    }
  });

  it('is not sent without knowing the status', async () => {
    const error = errorOf('onboardingStatus', 'maybeRunning');
    for (const lastSentAt of [undefined, NOW - 1]) {
      const { came, asked, told } = await attempt({ status: error }, { verify: true, lastSentAt });
      expect(came).toEqual({ error, lastSentAt });
      expect(asked).toEqual(['status']);
      // A look that fails leaves nobody in doubt about a request.
      expect(told).toEqual([]);
    }
  });
});

describe('a request that fails', () => {
  it.each<IncodeErrorKind>(['maybeRunning', 'resultUnknown'])('is told of as ambiguous: %s', async (kind) => {
    const error = finishError(kind);
    const { came, told } = await attempt({ finish: error }, { verify: true, lastSentAt: NOW - SETTLE_MS });
    expect(came).toEqual({ error, lastSentAt: kind === 'maybeRunning' ? 'inThisAttempt' : undefined });
    expect(told.slice(1)).toEqual([{ type: 'ambiguousFinish', kind }]);
  });

  it.each<IncodeErrorKind>([
    ...(['unknownSession', 'methodNotAllowed', 'notAcceptable', 'tokenRefused'] as const),
    ...(['apiKeyRefused', 'misconfigured', 'notTaken'] as const),
  ])('runs no longer: %s', async (kind) => {
    const error = finishError(kind);
    const { came, asked, told } = await attempt({ finish: error });
    expect(came).toEqual({ error, lastSentAt: undefined });
    expect(asked).toEqual(['finish']);
    expect(told).toEqual([]);
  });

  it('may still run if nobody knows what happened', async () => {
    const error = new Error('aborted') as IncodeError;
    const { came, told } = await attempt({ finish: error });
    expect(came).toEqual({ error, lastSentAt: 'inThisAttempt' });
    expect(told).toEqual([]);
  });
});

describe('a request that is refused as bad', () => {
  const finish = finishError('badRequest');

  it.each(OVER)('was for a session that is $onboardingStatus, if Incode says so', async (result) => {
    const { came, asked } = await attempt({ finish, status: result.onboardingStatus });
    expect(came).toEqual({ result });
    expect(asked).toEqual(['finish', 'status']);
  });

  it.each(OPEN)('has failed if the session is %s', async (status) => {
    const { came, asked } = await attempt({ finish, status });
    expect(came).toEqual({ error: finish, lastSentAt: undefined });
    expect(asked).toEqual(['finish', 'status']);
  });

  it('is looked at again if the status could not be read', async () => {
    const error = errorOf('onboardingStatus', 'notTaken');
    const { came } = await attempt({ finish, status: error });
    expect(came).toEqual({ error, lastSentAt: 'inThisAttempt' });
  });
});
