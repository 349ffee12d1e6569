import { describe, expect, it } from 'vitest';
import * as client from '../../src/client/index.js';
import {
  AnswerPendingError,
  ClientClosedError,
  NamespaceNotSetUpError,
  type PendingFacts,
  PlanMismatchError,
  SessionCompletedError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalConfigurationError,
  TemporalIncodeError,
  TemporalRequestError,
  TemporalUnavailableError,
  WrongStageError,
} from '../../src/client/index.js';
import { FAILURES, type OnboardingResult, PLAN_DEFAULTS } from '../../src/contract/index.js';

const WHERE = { address: 'temporal.example:7233', namespace: 'kyc' };
const result = { interviewId: 'i-1', outcome: 'approved' } as OnboardingResult;
const FACTS: PendingFacts = {
  interviewId: 'i-1',
  timeoutMs: 2_500,
  isRunning: true,
  taskQueue: 'a-queue',
  hasWorker: true,
  isAnswering: true,
  stage: 'finishing',
  waitingFor: null,
  call: null,
};
const CALL = { activity: 'finishStatus', attempt: 3, lastFailure: null, nextAttemptAt: null, paused: false };
const FAILURE = { type: 'IncodeNotTaken', message: 'Incode answered 503.' };

it('every error of the client extends TemporalIncodeError and has the name of its class', () => {
  const classes = Object.entries(client).filter(([name]) => name.endsWith('Error')) as [string, () => unknown][];
  expect(classes.length).toBeGreaterThan(15);
  const strangers = classes.filter(
    ([name, type]) =>
      type !== (TemporalIncodeError as unknown) && !(type.prototype instanceof TemporalIncodeError) && name,
  );
  expect(strangers).toEqual([]);
});

describe('errors of the client', () => {
  it.each<[Error, string, string]>([
    [new SessionCompletedError(result), 'SessionCompletedError', 'Session i-1 is already completed: approved.'],
    [new SessionNotFoundError('i-1'), 'SessionNotFoundError', 'Session i-1: no onboarding is known'],
    [new SessionEndedError('i-1'), 'SessionEndedError', 'Session i-1: its onboarding has ended'],
    [new SessionFailedError('i-1', 'X', 'it ended'), 'SessionFailedError', 'Session i-1: it ended'],
    [new SessionFailedError('i-1', 'X', 'Session i-1: it ended'), 'SessionFailedError', 'Session i-1: it ended'],
    [new WrongStageError('i-1', 'Session i-1 is done'), 'WrongStageError', 'Session i-1 is done'],
    [
      new PlanMismatchError('i-1', ['close', 'scoreDeadline'], PLAN_DEFAULTS),
      'PlanMismatchError',
      'Session i-1 runs with another plan: close is false, scoreDeadline is "15 minutes".',
    ],
    [new TemporalConfigurationError(new Error('no TOML')), 'TemporalConfigurationError', 'is wrong: no TOML'],
    [
      new NamespaceNotSetUpError(WHERE, 'IncodeStage'),
      'NamespaceNotSetUpError',
      'Set it up once: temporal-incode setup --address temporal.example:7233 --namespace kyc',
    ],
    [
      new ClientClosedError(WHERE),
      'ClientClosedError',
      'close() has ended its connection to Temporal at temporal.example:7233.',
    ],
    [
      new TemporalRequestError(WHERE, 'INVALID_ARGUMENT', 'too long'),
      'TemporalRequestError',
      'namespace kyc, was refused (INVALID_ARGUMENT): too long',
    ],
  ])('the message of %s says what happened', (error, name, message) => {
    expect(error.name).toBe(name);
    expect(error.message).toContain(message);
  });

  it.each([
    ['away', true, true, 'temporal.example:7233 does not answer'],
    ['notListening', true, true, 'Nothing is listening at temporal.example:7233.'],
    ['refused', false, false, 'refuses the credentials for namespace kyc'],
    ['unknownNamespace', false, false, 'temporal operator namespace create --namespace kyc'],
  ] as const)(
    'TemporalUnavailableError with the problem %s has retryable %s',
    (problem, retryable, mayBeTaken, message) => {
      const error = new TemporalUnavailableError(problem, WHERE, 'why');
      expect(error).toMatchObject({ problem, retryable, mayBeTaken, cause: 'why', ...WHERE });
      expect(error.message).toContain(message);
      expect(error.message.includes('not known whether Temporal took the request')).toBe(mayBeTaken);
    },
  );

  it('TemporalUnavailableError says that nothing was sent', () => {
    const error = new TemporalUnavailableError('notListening', WHERE, undefined, false);
    expect(error.mayBeTaken).toBe(false);
    expect(error.message).toContain('Nothing was sent.');
  });
});

describe('AnswerPendingError', () => {
  it('AnswerPendingError contains what the client knows about the session', () => {
    const error = new AnswerPendingError({ ...FACTS, stage: 'needsToken', waitingFor: 'a session token' });
    expect(error).toMatchObject({
      interviewId: 'i-1',
      stage: 'needsToken',
      waitingFor: 'a session token',
      hasWorker: true,
    });
    expect(error.message).toMatch(/^Session i-1: no answer within 2\.5 s\./);
  });

  it.each<[string, Partial<PendingFacts>, string]>([
    ['nothing blocks the session', {}, 'It continues on the server, in the stage finishing'],
    [
      'no worker polls',
      { hasWorker: false, isAnswering: false },
      'No worker polls the task queue a-queue. Start a worker',
    ],
    ['a token is missing', { waitingFor: 'a session token' }, 'It waits for a session token.'],
    ['a worker does not answer', { isAnswering: false, stage: null }, 'too many pending signals'],
    [
      'the operator must correct the API key',
      {
        waitingFor: 'the operator to act',
        call: { ...CALL, lastFailure: { type: FAILURES.apiKeyRefused, message: 'The key is refused.' } },
      },
      'It waits for the operator to act: its call finishStatus fails. The key is refused. Within a minute after that it continues.',
    ],
    [
      'the last failure ends without a full stop',
      { call: { ...CALL, lastFailure: { type: FAILURES.settling, message: 'a request may still be running' } } },
      'after: a request may still be running. It continues.',
    ],
    [
      'an operator has paused the call',
      { call: { ...CALL, paused: true } },
      'An operator has paused its call finishStatus',
    ],
    [
      'a call is being retried',
      { call: { ...CALL, lastFailure: FAILURE } },
      'Its call finishStatus is being retried, attempt 3 after: Incode answered 503. It continues',
    ],
    ['the onboarding has ended meanwhile', { isRunning: false }, 'Its onboarding has ended meanwhile'],
  ])('says what happens next when %s', (_, facts, message) => {
    expect(new AnswerPendingError({ ...FACTS, ...facts }).message).toContain(message);
  });
});
