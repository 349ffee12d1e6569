import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import {
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  WrongStageError,
} from '../../src/client/errors.js';
import {
  describeFailure,
  isAbortedByEnd,
  isDeadline,
  subjectFailure,
  undeliverable,
} from '../../src/client/failures.js';
import { personSubject } from '../../src/client/people/subject.js';
import { sessionSubject } from '../../src/client/subject.js';
import {
  ClientClosedError,
  NamespaceNotSetUpError,
  TemporalRequestError,
  TemporalUnavailableError,
} from '../../src/client/temporal-errors.js';
import { grpcError, isAway, temporalFailure, withTemporalErrors } from '../../src/client/temporal-failure.js';
import { EncryptionKeyError } from '../../src/codec/index.js';
import { InvalidInputError } from '../../src/contract/index.js';
import { thrown } from '../support/thrown.js';

/** What grpc-js throws. */
const grpc = (code: number, details = '') =>
  Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
const DEADLINE = grpc(4);
const application = (type?: string, message = 'why', ...details: unknown[]) =>
  ApplicationFailure.create({ message, details, ...(type === undefined ? {} : { type }) });

function clientOf(connectivity?: number): Client {
  const getChannel = () => ({ getConnectivityState: () => connectivity });
  const connection =
    connectivity === undefined ? {} : { options: { address: 'temporal.example:7233' }, client: { getChannel } };
  return { connection, options: { namespace: 'kyc' } } as unknown as Client;
}
const CONNECTED = clientOf(2);

const failed = (cause?: Error) => new WorkflowFailedError('failed', cause, 'MAXIMUM_ATTEMPTS_REACHED' as never);
const updateFailed = (cause: Error) => new WorkflowUpdateFailedError('failed', cause as never);

describe('describeFailure', () => {
  it.each<[string, Error | undefined, object]>([
    [
      'an application failure',
      application('IncodeUnknownSession', 'unknown', { a: 1 }),
      { type: 'IncodeUnknownSession', message: 'unknown', details: { a: 1 } },
    ],
    ['an application failure without a type', application(), { type: 'Failed', message: 'why' }],
    ['a cancellation', new CancelledFailure('c'), { type: 'Cancelled', message: 'the onboarding was cancelled' }],
    [
      'a termination',
      new TerminatedFailure('t', undefined),
      { type: 'Terminated', message: 'the onboarding was terminated' },
    ],
    [
      'a timeout',
      new TimeoutFailure('t', undefined, 'START_TO_CLOSE'),
      { type: 'TimedOut', message: 'the onboarding timed out' },
    ],
    ['another error', new Error('other'), { type: 'Failed', message: 'other' }],
    ['a missing cause', undefined, { type: 'Failed', message: 'the onboarding failed' }],
  ])('describes %s', (_, cause, expected) => {
    expect(describeFailure(cause)).toEqual(expected);
  });
});

describe('subjectFailure', () => {
  it.each([
    [
      'invalid input with its field',
      failed(application('InvalidInput', 'plan.score is wrong', { field: 'plan.score' })),
      InvalidInputError,
      'plan.score is wrong',
    ],
    [
      'invalid input without a field',
      failed(application('InvalidInput', 'it is wrong')),
      InvalidInputError,
      'input it is wrong',
    ],
    [
      'an update that the workflow has no room for',
      updateFailed(application('TooManyWaiting', 'too many wait')),
      TooManyWaitingError,
      'too many wait',
    ],
    [
      'an update that the server has no room for',
      grpc(8, 'limit on number of concurrent in-flight updates has been reached'),
      TooManyWaitingError,
      'Session i has as many updates as Temporal allows: limit on number of concurrent in-flight updates has been reached. Nothing was changed. Ask again later.',
    ],
    ['a wrong stage', updateFailed(application('WrongStage', 'it is done')), WrongStageError, 'it is done'],
    [
      'an unknown session',
      new WorkflowNotFoundError('workflow not found for ID: w', 'w', undefined),
      SessionNotFoundError,
      'Session i: no onboarding is known in this namespace. It was never started here, its history was removed, or a batch completed the session. Check its id and the namespace.',
    ],
    [
      'any other failure',
      updateFailed(application('IncodeBadRequest', 'refused')),
      SessionFailedError,
      'Session i: refused',
    ],
  ])('converts %s', (_, error, type, message) => {
    const failure = subjectFailure(sessionSubject('i'), error) as Error;
    expect(failure).toBeInstanceOf(type);
    expect(failure.message).toBe(message);
  });

  it('distinguishes a session that has ended from an unknown one', () => {
    const ended = new WorkflowNotFoundError('workflow execution already completed', 'w', undefined);
    expect(subjectFailure(sessionSubject('i'), ended)).toBeInstanceOf(SessionEndedError);
  });

  it.each([
    ['PersonNotFoundError', new WorkflowNotFoundError('workflow not found for ID: w', 'w', undefined)],
    ['PersonEndedError', new WorkflowNotFoundError('workflow execution already completed', 'w', undefined)],
    ['PersonTooManyWaitingError', grpc(8, 'limit on number of concurrent in-flight updates has been reached')],
    ['PersonTooManyWaitingError', updateFailed(application('TooManyWaiting', 'Person 4711: too many wait'))],
    ['PersonWrongStageError', updateFailed(application('WrongStage', 'Person 4711 is done'))],
    ['PersonFailedError', failed(application('ImageUnusable', 'the image of the front is missing'))],
  ])('names the person in a %s', (name, error) => {
    const failure = subjectFailure(personSubject('4711'), error);
    expect(failure).toMatchObject({ name, reference: '4711', message: expect.stringContaining('Person 4711') });
  });

  it('returns errors that do not concern a session unchanged', () => {
    expect(subjectFailure(sessionSubject('i'), DEADLINE)).toBe(DEADLINE);
    const busy = grpc(8, 'namespace rate limit exceeded');
    expect(subjectFailure(sessionSubject('i'), busy)).toBe(busy);
  });
});

describe('isDeadline', () => {
  const ofUpdate = new WorkflowUpdateRPCTimeoutOrCancelledError('late');

  it.each<[string, unknown, number | undefined, boolean]>([
    ["gRPC's own", DEADLINE, undefined, true],
    ["an update's", ofUpdate, undefined, true],
    ["an update's, wrapped", new Error('wrapped', { cause: ofUpdate }), undefined, true],
    ['a call that the server cancels at the deadline', grpc(1), 0, true],
    ['a call that is cancelled before the deadline', grpc(1), Date.now() + 3_600_000, false],
    ['a call that is cancelled without a deadline', grpc(1), undefined, false],
    ['another error', grpc(14), 0, false],
    ['no error', 'late', undefined, false],
  ])('isDeadline of %s', (_, error, deadline, expected) => {
    expect(isDeadline(error, deadline)).toBe(expected);
  });
});

it('isAbortedByEnd distinguishes a run that ended before it accepted the update from an unknown run', () => {
  expect(isAbortedByEnd(grpc(5, 'update aborted by closing workflow'))).toBe(true);
  expect(isAbortedByEnd(grpc(5, 'no such workflow'))).toBe(false);
  expect(isAbortedByEnd(grpc(9, 'aborted by closing workflow'))).toBe(false);
  expect(isAbortedByEnd(new Error('aborted by closing workflow'))).toBe(false);
});

it.each([
  [new WorkflowExecutionAlreadyStartedError('started', 'w', 't'), 'ended'],
  [new WorkflowNotFoundError('workflow execution already completed', 'w', undefined), 'ended'],
  [new WorkflowNotFoundError('workflow not found', 'w', undefined), 'unknownSession'],
  [DEADLINE, undefined],
])('undeliverable(%s) is %s', (error, expected) => {
  expect(undeliverable(error)).toBe(expected);
});

describe('gRPC errors', () => {
  it.each([
    [2, '', true],
    [4, '', true],
    [8, '', true],
    [10, '', true],
    [14, '', true],
    [3, '', false],
    [5, '', false],
    // A killed server.
    [1, 'Call cancelled', true],
    [1, 'Cancelled on client', false],
    [13, 'Received RST_STREAM with code 2', true],
    [13, 'ended without gRPC status', true],
    [13, 'a mistake', false],
    // A killed worker.
    [9, 'unexpected workflow task failure', true],
    [9, 'not now', false],
  ])('isAway of status %i "%s" is %s', (code, details, expected) => {
    expect(isAway(grpc(code, details))).toBe(expected);
  });

  it('grpcError finds an error up to two causes deep', () => {
    const wrapped = (depth: number): Error =>
      depth === 0 ? DEADLINE : new Error('wrapped', { cause: wrapped(depth - 1) });
    expect([0, 1, 2, 3].map((depth) => grpcError(wrapped(depth)) === DEADLINE)).toEqual([true, true, true, false]);
    expect(grpcError('text')).toBeUndefined();
  });

  it.each([
    [grpc(7), 'refused'],
    [grpc(16), 'refused'],
    [grpc(14), 'away'],
    [grpc(14, 'connect ECONNREFUSED 127.0.0.1:7233'), 'notListening'],
    [Object.assign(new Error('no'), { name: 'NamespaceNotFoundError' }), 'unknownNamespace'],
  ])('temporalFailure(%s) has the problem %s', (error, problem) => {
    expect(temporalFailure(CONNECTED, error)).toMatchObject({
      problem,
      address: 'temporal.example:7233',
      namespace: 'kyc',
    });
  });

  it.each([
    ['a start', 'Namespace kyc has no mapping defined for search attribute IncodeStage'],
    ['a query', 'invalid query: invalid search attribute: IncodeStage'],
    ['a query of an older server', "invalid query: column name 'IncodeStage' is not defined"],
    ['a value of another type', 'invalid value for search attribute IncodeStage of type Int: "finishing"'],
  ])('names the setup command if the server refuses %s because of a search attribute', (_, details) => {
    const error = temporalFailure(CONNECTED, grpc(3, details));
    expect(error).toBeInstanceOf(NamespaceNotSetUpError);
    expect(error).toMatchObject({ searchAttribute: 'IncodeStage', namespace: 'kyc' });
    expect(error.message).toMatch(/temporal-incode setup --address \S+:\d+ --namespace kyc$/);
  });

  it.each([
    [grpc(3, 'invalid search attribute: CustomStage'), 'INVALID_ARGUMENT'],
    [grpc(12, 'unknown method'), 'UNIMPLEMENTED'],
    [new TypeError('the SDK failed'), null],
    ['a text', null],
  ])('temporalFailure(%s) is a TemporalRequestError with status %s', (error, status) => {
    const failure = temporalFailure(CONNECTED, error);
    expect(failure).toBeInstanceOf(TemporalRequestError);
    expect(failure).toMatchObject({ status, cause: error });
  });

  it('redacts secrets and shortens long reasons from the server', () => {
    const token = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.c`;
    const { message } = temporalFailure(CONNECTED, grpc(3, `sessionToken: "${token}" ${'x'.repeat(5_000)}`));
    expect(message).not.toContain(token);
    expect(message.length).toBeLessThan(500);
  });

  it('temporalFailure returns an error of this package unchanged', () => {
    const error = new TemporalUnavailableError('away', { address: 'a', namespace: 'n' });
    expect(temporalFailure(CONNECTED, error)).toBe(error);
  });

  it('temporalFailure says that the client is closed, unless an error of this package says more', () => {
    const closed = clientOf(4);
    expect(temporalFailure(closed, grpc(14))).toBeInstanceOf(ClientClosedError);
    const error = new TemporalUnavailableError('away', { address: 'a', namespace: 'n' });
    expect(temporalFailure(closed, error)).toBe(error);
  });

  it("temporalFailure has no address for a worker's connection", () => {
    expect(temporalFailure(clientOf(), grpc(14))).toMatchObject({ address: 'its address' });
  });
});

describe('withTemporalErrors', () => {
  it('returns the answer', async () => {
    expect(await withTemporalErrors(CONNECTED, async () => 5)).toBe(5);
  });

  it('reports missing keys for encrypted payloads', async () => {
    const request = () => Promise.reject(new Error('Unknown encoding: binary/encrypted'));
    expect(await thrown(withTemporalErrors(CONNECTED, request))).toBeInstanceOf(EncryptionKeyError);
  });
});
