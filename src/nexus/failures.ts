import { ApplicationFailure } from '@temporalio/common';
import { HandlerError, OperationError } from 'nexus-rpc';
import {
  AnswerPendingError,
  PlanMismatchError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  WrongStageError,
} from '../client/errors.js';
import { isDeadline } from '../client/failures.js';
import { NamespaceNotSetUpError, TemporalRequestError, TemporalUnavailableError } from '../client/temporal-errors.js';
import { FAILURES, InvalidInputError } from '../contract/index.js';

/**
 * Turns what the client throws into what Nexus knows. A handler error that may be retried counts against the whole endpoint:
 * the caller's server stops sending to it after a few. So only Temporal's own troubles become one.
 *
 * @returns what the handler has to throw
 */
export function nexusError(error: unknown): unknown {
  if (error instanceof InvalidInputError) return new HandlerError('BAD_REQUEST', error.message);
  if (error instanceof SessionNotFoundError || error instanceof SessionEndedError) {
    return new HandlerError('NOT_FOUND', error.message);
  }
  if (error instanceof TooManyWaitingError) return new HandlerError('UPSTREAM_TIMEOUT', error.message);
  if (error instanceof PlanMismatchError) return new HandlerError('CONFLICT', error.message);
  if (error instanceof AnswerPendingError || isDeadline(error)) {
    return new HandlerError('UPSTREAM_TIMEOUT', 'No worker of the onboarding answered in time. It is asked again.');
  }
  if (error instanceof TemporalUnavailableError) {
    return new HandlerError(error.retryable ? 'UNAVAILABLE' : 'INTERNAL', error.message);
  }
  if (error instanceof NamespaceNotSetUpError) return new HandlerError('INTERNAL', error.message);
  // The SDK's worker tells from gRPC's own error whether the operation may be retried.
  if (error instanceof TemporalRequestError) return error.cause ?? error;
  const cause = applicationFailure(error);
  return cause ? new OperationError('failed', cause.message, { cause }) : error;
}

/** @returns `undefined` for what is no final answer about the session */
export function applicationFailure(error: unknown): ApplicationFailure | undefined {
  if (error instanceof WrongStageError) return final(FAILURES.wrongStage, error.message, error.interviewId);
  if (!(error instanceof SessionFailedError)) return undefined;
  return final(error.type, error.message, error.interviewId);
}

function final(type: string, message: string, interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [{ interviewId }] });
}
