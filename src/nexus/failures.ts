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
 * Converts a client error into the error that a Nexus handler throws. Retryable handler errors count against the whole endpoint: after a
 * few, the caller's server stops sending requests to it. So only failures of Temporal become retryable.
 */
export function nexusError(error: unknown): unknown {
  if (error instanceof InvalidInputError) return new HandlerError('BAD_REQUEST', error.message);
  if (error instanceof SessionNotFoundError || error instanceof SessionEndedError) {
    return new HandlerError('NOT_FOUND', error.message);
  }
  if (error instanceof TooManyWaitingError) return new HandlerError('UPSTREAM_TIMEOUT', error.message);
  if (error instanceof PlanMismatchError) return new HandlerError('CONFLICT', error.message);
  if (error instanceof AnswerPendingError || isDeadline(error)) {
    return new HandlerError('UPSTREAM_TIMEOUT', 'No onboarding worker answered in time. The request is retried.');
  }
  if (error instanceof TemporalUnavailableError) {
    return new HandlerError(error.retryable ? 'UNAVAILABLE' : 'INTERNAL', error.message);
  }
  if (error instanceof NamespaceNotSetUpError) return new HandlerError('INTERNAL', error.message);
  // The SDK's worker decides by the gRPC error whether to retry the operation.
  if (error instanceof TemporalRequestError) return error.cause ?? error;
  const cause = applicationFailure(error);
  return cause ? new OperationError('failed', cause.message, { cause }) : error;
}

/** @returns `undefined` if the error is not final for the session */
export function applicationFailure(error: unknown): ApplicationFailure | undefined {
  if (error instanceof WrongStageError) return final(FAILURES.wrongStage, error.message, error.interviewId);
  if (!(error instanceof SessionFailedError)) return undefined;
  return final(error.type, error.message, error.interviewId);
}

function final(type: string, message: string, interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [{ interviewId }] });
}
