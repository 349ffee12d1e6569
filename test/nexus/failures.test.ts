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
  ])('%s becomes %s', (error, type, retryable) => {
    const turned = nexusError(error) as HandlerError;
    expect(turned).toBeInstanceOf(HandlerError);
    expect([turned.type, turned.retryable]).toEqual([type, retryable]);
  });

  it.each([
    [
      new SessionFailedError('i', 'IncodeUnknownSession', 'Session i: unknown', { secret: 's' }),
      'IncodeUnknownSession',
    ],
    [new WrongStageError('i', 'Session i is in the stage done'), 'WrongStage'],
  ])('%s fails the operation with its type and nothing but the session', (error, type) => {
    const { cause, message } = nexusError(error) as OperationError;
    expect(message).toBe(error.message);
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({ type, nonRetryable: true, details: [{ interviewId: 'i' }] });
  });

  it('hands on an error that is not of this package', () => {
    const error = new Error('other');
    expect(nexusError(error)).toBe(error);
  });

  it("leaves it to the SDK's worker whether another refusal of Temporal is retried", () => {
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
    ['an ending', failed(failure('IncodeUnknownSession')), 'IncodeUnknownSession'],
    ['one that a handler told', failed(failure('OperationError', failure('WrongStage'))), 'WrongStage'],
    ['a handler error', failed(new HandlerError('NOT_FOUND', 'none')), 'NOT_FOUND'],
    ['a time-out', failed(Object.assign(new Error('late'), { name: 'TimeoutFailure' })), 'TimedOut'],
  ])('reads %s', (_, error, type) => {
    expect(operationFailure(error)?.type).toBe(type);
  });

  it('leaves alone what no operation threw', () => {
    expect(operationFailure(failure('IncodeUnknownSession'))).toBeUndefined();
    expect(operationFailure('text')).toBeUndefined();
    expect(operationFailure(failed(new Error('untyped')))).toBeUndefined();
  });
});
