import { ApplicationFailure } from '@temporalio/common';
import { HandlerError, type OperationError } from 'nexus-rpc';
import { describe, expect, it } from 'vitest';
import {
  AnswerPendingError,
  InvalidInputError,
  NamespaceNotSetUpError,
  PlanMismatchError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalRequestError,
  TemporalUnavailableError,
  TooManyWaitingError,
  WrongStageError,
} from '../../src/client/index.js';
import { PLAN_DEFAULTS } from '../../src/contract/index.js';
import { nexusError } from '../../src/nexus/failures.js';
import { operationFailure } from '../../src/nexus/index.js';

const LATE = Object.assign(new Error('4 DEADLINE_EXCEEDED'), { code: 4, details: '', metadata: {} });
const PENDING = {
  interviewId: 'i',
  timeoutMs: 9_500,
  isRunning: true,
  taskQueue: 'q',
  hasWorker: true,
  isAnswering: true,
  stage: 'finishing',
  waitingFor: null,
  call: null,
} as const;
const WHERE = { address: '127.0.0.1:1', namespace: 'any' };

describe('nexusError', () => {
  it.each([
    [new InvalidInputError('interviewId', 'must be a non-empty string'), 'BAD_REQUEST', false],
    [new SessionNotFoundError('i'), 'NOT_FOUND', false],
    [new SessionEndedError('i'), 'NOT_FOUND', false],
    [new TooManyWaitingError('i', 'Session i has too many updates'), 'UPSTREAM_TIMEOUT', true],
    [new PlanMismatchError('i', ['close'], PLAN_DEFAULTS), 'CONFLICT', false],
    [new AnswerPendingError(PENDING), 'UPSTREAM_TIMEOUT', true],
    [LATE, 'UPSTREAM_TIMEOUT', true],
    [new TemporalUnavailableError('away', WHERE, LATE), 'UPSTREAM_TIMEOUT', true],
    [new TemporalUnavailableError('away', WHERE), 'UNAVAILABLE', true],
    [new TemporalUnavailableError('refused', WHERE), 'INTERNAL', true],
    [new NamespaceNotSetUpError(WHERE, 'IncodeStage'), 'INTERNAL', true],
  ])('maps %s to the handler error %s', (error, type, retryable) => {
    const handlerError = nexusError(error) as HandlerError;
    expect(handlerError).toBeInstanceOf(HandlerError);
    expect([handlerError.type, handlerError.retryable]).toEqual([type, retryable]);
  });

  it.each([
    [
      new SessionFailedError('i', 'IncodeUnknownSession', 'Session i: unknown', { secret: 's' }),
      'IncodeUnknownSession',
    ],
    [new WrongStageError('i', 'Session i is in the stage done'), 'WrongStage'],
  ])('maps %s to a failed operation with the type and only the interview id', (error, type) => {
    const { cause, message } = nexusError(error) as OperationError;
    expect(message).toBe(error.message);
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({ type, nonRetryable: true, details: [{ interviewId: 'i' }] });
  });

  it('returns an unknown error unchanged', () => {
    const error = new Error('other');
    expect(nexusError(error)).toBe(error);
  });

  it("returns gRPC's error for other refusals of Temporal, so that the SDK decides about a retry", () => {
    const cause = new Error('of gRPC');
    expect(nexusError(new TemporalRequestError(WHERE, 'INVALID_ARGUMENT', 'why', cause))).toBe(cause);
    const bare = new TemporalRequestError(WHERE, 'INVALID_ARGUMENT', 'why');
    expect(nexusError(bare)).toBe(bare);
  });
});

describe('operationFailure', () => {
  const failed = (cause: unknown) => Object.assign(new Error('failed', { cause }), { name: 'NexusOperationFailure' });
  const failure = (type: string, cause?: Error) =>
    ApplicationFailure.create({ type, message: type, ...(cause ? { cause } : {}) });

  it.each([
    ['the failure of a workflow', failed(failure('IncodeUnknownSession')), 'IncodeUnknownSession'],
    ['a failure from a handler', failed(failure('OperationError', failure('WrongStage'))), 'WrongStage'],
    ['a handler error', failed(new HandlerError('NOT_FOUND', 'none')), 'NOT_FOUND'],
    ['a timeout', failed(Object.assign(new Error('late'), { name: 'TimeoutFailure' })), 'TimedOut'],
  ])('reads the type of %s', (_, error, type) => {
    expect(operationFailure(error)?.type).toBe(type);
  });

  it('returns undefined for errors that are not from an operation', () => {
    expect(operationFailure(failure('IncodeUnknownSession'))).toBeUndefined();
    expect(operationFailure('text')).toBeUndefined();
    expect(operationFailure(failed(new Error('untyped')))).toBeUndefined();
  });
});
