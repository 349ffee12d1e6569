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

describe('an error of Incode', () => {
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
  ])('of the kind %s becomes %s; final: %s', async (kind, type, isEnd) => {
    const failure = await failureOf(errorOf({ kind }));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type, nonRetryable: isEnd });
    expect([failureTypeOf(kind), isFinal(kind)]).toEqual([type, isEnd]);
  });

  it.each<[string, Partial<IncodeErrorFacts>, Partial<FailureContext>, number | undefined]>([
    ['as the retry policy says', {}, {}, undefined],
    ['when Incode wants to be asked', { retryAfterMs: 7_000 }, {}, 7_000],
    ['no earlier than the caller can bear', { retryAfterMs: 7_000 }, { leastDelayMs: 30_000 }, 30_000],
    ['slowly while somebody has to mend the key', { kind: 'apiKeyRefused' }, {}, MINUTE],
    [
      'as soon after the mending, however rarely a poll asks',
      { kind: 'apiKeyRefused' },
      { leastDelayMs: 60 * MINUTE },
      MINUTE,
    ],
    [
      'as soon after the mending, whatever Incode asks',
      { kind: 'apiKeyRefused', retryAfterMs: 60 * MINUTE },
      {},
      MINUTE,
    ],
    ['slowly while somebody has to mend the URL', { kind: 'misconfigured', retryAfterMs: 1 }, {}, MINUTE],
  ])('is retried %s', async (_, facts, context, delay) => {
    expect((await failureOf(errorOf(facts), context)).nextRetryDelay).toBe(delay);
  });

  it.each<[IncodeErrorKind, RegExp[]]>([
    ['apiKeyRefused', [/refuses the API key/]],
    ['misconfigured', [/INCODE_BASE_URL or the proxy/]],
    ['notTaken', []],
    ['tokenRefused', []],
  ])('of the kind %s is told to the operator if nobody else can mend it', async (kind, expected) => {
    await failureOf(errorOf({ kind }));
    expect(said).toEqual(expected.map((text) => expect.stringMatching(text)));
  });

  it('names the session, and carries only the facts that there are', async () => {
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

it('an executive user that Incode refuses is told to the operator as such', async () => {
  const events: ActivityEvent[] = [];
  const observe = (event: ActivityEvent) => void events.push(event);
  await failureOf(new ExecutiveRefusedError('answered 401', 401), { observe });
  expect(said).toEqual([expect.stringMatching(/^Incode refuses the executive user: correct INCODE_EXECUTIVE_EMAIL/)]);
  expect(events).toEqual([{ type: 'executiveRefused' }]);
});

it('a redirect of the log-in is told to the operator as a wrong base URL', async () => {
  await failureOf(errorOf({ kind: 'misconfigured', operation: 'logIn', httpStatus: 302 }));
  expect(said).toEqual([expect.stringMatching(/^Incode is not where INCODE_BASE_URL/)]);
});

it('a token of another session fails the call for good, with what was sent before, and is told to the operator', async () => {
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

it('what is no error of Incode is passed on untouched', async () => {
  const error = new TypeError('a mistake of ours');
  expect(await failureOf(error)).toBe(error);
});

describe('a call that is given up', () => {
  async function givenUp(details: object | undefined) {
    const environment = new MockActivityEnvironment();
    return environment.run(async () => {
      environment.cancel('CANCELLED', details as never);
      return activityFailure(errorOf({}), { interviewId: 'i-1', operatorRetryMs: MINUTE });
    });
  }

  it('because the workflow wants nothing more of it is cancelled', async () => {
    const failure = (await givenUp({ cancelRequested: true, workerShutdown: false })) as Error;
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure.message).toBe('Session i-1: score was cancelled');
    expect(await givenUp(undefined)).toBeInstanceOf(CancelledFailure);
  });

  it('because the worker shuts down has to be made again', async () => {
    expect(await givenUp({ workerShutdown: true })).toMatchObject({ type: 'IncodeNotTaken', nonRetryable: false });
  });
});

it.each([
  [5_000, 5_000],
  [0, 1],
  [-3, 1],
])('"not yet" is no fault, and is asked again in %i ms: never in none', (given, delay) => {
  expect(notYet('IncodeScoreNotReady', 'i-1', 'it has no score yet', given)).toMatchObject({
    type: 'IncodeScoreNotReady',
    message: 'Session i-1: it has no score yet',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delay,
    nonRetryable: false,
  });
});
