import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { activityFailure, type FailureContext, failureTypeOf, isFinal, notYet } from '../../src/activities/failure.js';
import type { ActivityEvent } from '../../src/activities/observe.js';
import { TokenMismatchError } from '../../src/activities/token-fit.js';
import {
  ExecutiveRefusedError,
  IncodeError,
  type IncodeErrorFacts,
  type IncodeErrorKind,
} from '../../src/incode/errors.js';

const MINUTE = 60_000;

function errorOf(facts: Partial<IncodeErrorFacts>): IncodeError {
  return new IncodeError({ kind: 'notTaken', operation: 'score', what: 'answered', ...facts });
}

const said: string[] = [];
const silent = () => undefined;
const error = (message: string) => said.push(message);
const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error };
afterEach(() => {
  said.length = 0;
});

async function failureOf(error: unknown, context: Partial<FailureContext> = {}): Promise<ApplicationFailure> {
  const environment = new MockActivityEnvironment({ attempt: 3 }, { logger });
  const failure = await environment.run(async () =>
    activityFailure(error, { interviewId: 'i-1', operatorRetryMs: MINUTE, ...context }),
  );
  return failure as ApplicationFailure;
}

describe('activityFailure', () => {
  it.each<[IncodeErrorKind, string, boolean]>([
    ['badRequest', 'IncodeBadRequest', true],
    ['unknownSession', 'IncodeUnknownSession', true],
    ['methodNotAllowed', 'IncodeMethodNotAllowed', true],
    ['notAcceptable', 'IncodeNotAcceptable', true],
    ['tokenRefused', 'IncodeTokenRefused', true],
    ['apiKeyRefused', 'IncodeApiKeyRefused', false],
    ['misconfigured', 'IncodeMisconfigured', false],
    ['notTaken', 'IncodeNotTaken', false],
    ['resultUnknown', 'IncodeResultUnknown', false],
    ['maybeRunning', 'IncodeMaybeRunning', false],
  ])('converts the kind %s to the type %s, nonRetryable: %s', async (kind, type, isEnd) => {
    const failure = await failureOf(errorOf({ kind }));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable: isEnd });
    expect([failureTypeOf(kind), isFinal(kind)]).toEqual([type, isEnd]);
  });

  it.each<[string, Partial<IncodeErrorFacts>, Partial<FailureContext>, number | undefined]>([
    ['by the retry policy', {}, {}, undefined],
    ['after Retry-After', { retryAfterMs: 7_000 }, {}, 7_000],
    ['not before the minimum delay of the caller', { retryAfterMs: 7_000 }, { leastDelayMs: 30_000 }, 30_000],
    ['after a minute while the API key is wrong', { kind: 'apiKeyRefused' }, {}, MINUTE],
    [
      'after a minute while the API key is wrong, despite a rare poll',
      { kind: 'apiKeyRefused' },
      { leastDelayMs: 60 * MINUTE },
      MINUTE,
    ],
    [
      'after a minute while the API key is wrong, despite Retry-After',
      { kind: 'apiKeyRefused', retryAfterMs: 60 * MINUTE },
      {},
      MINUTE,
    ],
    ['after a minute while the base URL is wrong', { kind: 'misconfigured', retryAfterMs: 1 }, {}, MINUTE],
  ])('has the call retried %s', async (_, facts, context, delay) => {
    expect((await failureOf(errorOf(facts), context)).nextRetryDelay).toBe(delay);
  });

  it.each<[IncodeErrorKind, RegExp[]]>([
    ['apiKeyRefused', [/refuses the API key/]],
    ['misconfigured', [/INCODE_BASE_URL or the proxy/]],
    ['notTaken', []],
    ['tokenRefused', []],
  ])('logs the kind %s for the operator if only an operator can fix it: %j', async (kind, expected) => {
    await failureOf(errorOf({ kind }));
    expect(said).toEqual(expected.map((text) => expect.stringMatching(text)));
  });

  it('names the session, and contains only known facts', async () => {
    const bare = await failureOf(errorOf({}));
    expect(bare.message).toMatch(/^Session i-1: score: Incode answered\. /);
    expect(bare.details).toEqual([{ interviewId: 'i-1', operation: 'score' }]);
    const full = await failureOf(errorOf({ httpStatus: 500, code: 4_015 }), {
      sent: { lastSentAt: 12, accepted: true },
    });
    expect(full.details).toEqual([
      { interviewId: 'i-1', operation: 'score', httpStatus: 500, code: 4_015, lastSentAt: 12, accepted: true },
    ]);
  });
});

it('activityFailure logs and reports a refused executive user', async () => {
  const events: ActivityEvent[] = [];
  const observe = (event: ActivityEvent) => void events.push(event);
  await failureOf(new ExecutiveRefusedError('answered 401', 401), { observe });
  expect(said).toEqual([expect.stringMatching(/^Incode refuses the executive user: correct INCODE_EXECUTIVE_EMAIL/)]);
  expect(events).toEqual([{ type: 'executiveRefused' }]);
});

it('activityFailure logs a redirect of the log-in as a wrong base URL', async () => {
  await failureOf(errorOf({ kind: 'misconfigured', operation: 'logIn', httpStatus: 302 }));
  expect(said).toEqual([expect.stringMatching(/^Incode is not where INCODE_BASE_URL/)]);
});

it('activityFailure makes a token of another session a permanent failure, and logs and reports it', async () => {
  const events: ActivityEvent[] = [];
  const observe = (event: ActivityEvent) => void events.push(event);
  const error = new TokenMismatchError({ interviewId: 'i-1', sessionToken: 't' }, 'belongs to session i-2');
  expect(await failureOf(error, { sent: { lastSentAt: 12 }, observe })).toMatchObject({
    type: 'IncodeTokenMismatch',
    message: error.message,
    nonRetryable: true,
    details: [{ interviewId: 'i-1', operation: 'onboardingStatus', lastSentAt: 12 }],
  });
  expect(said).toEqual([expect.stringMatching(/belongs to another session/)]);
  expect(events).toEqual([{ type: 'tokenMismatch' }]);
});

it('activityFailure returns an error that is not from Incode unchanged', async () => {
  const error = new TypeError('a mistake of ours');
  expect(await failureOf(error)).toBe(error);
});

describe('activityFailure for a cancelled call', () => {
  async function cancelledCall(details: object | undefined) {
    const environment = new MockActivityEnvironment();
    return environment.run(async () => {
      environment.cancel('CANCELLED', details as never);
      return activityFailure(errorOf({}), { interviewId: 'i-1', operatorRetryMs: MINUTE });
    });
  }

  it('returns a CancelledFailure if the workflow cancelled the call', async () => {
    const failure = (await cancelledCall({ cancelRequested: true, workerShutdown: false })) as Error;
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure.message).toBe('Session i-1: score was cancelled');
    expect(await cancelledCall(undefined)).toBeInstanceOf(CancelledFailure);
  });

  it('returns a retryable failure if the worker shuts down', async () => {
    expect(await cancelledCall({ workerShutdown: true })).toMatchObject({
      type: 'IncodeNotTaken',
      nonRetryable: false,
    });
  });
});

it.each([
  [5_000, 5_000],
  [0, 1],
  [-3, 1],
])('notYet with a delay of %i ms is BENIGN and retried after %i ms', (delayMs, delay) => {
  expect(notYet('IncodeScoreNotReady', 'i-1', 'it has no score yet', delayMs)).toMatchObject({
    type: 'IncodeScoreNotReady',
    message: 'Session i-1: it has no score yet',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delay,
    nonRetryable: false,
  });
});
