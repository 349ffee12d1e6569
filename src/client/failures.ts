import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { FAILURES, InvalidInputError } from '../contract/index.js';
import { GRPC } from '../temporal/grpc.js';
import {
  AnswerPendingError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  WrongStageError,
} from './errors.js';
import { grpcError, isDisconnected, temporalFailure } from './temporal-failure.js';

/** What a request for a session came to, in our words; whatever we have none for is passed on untouched. */
export function requestFailure(
  client: Client,
  interviewId: string,
  { timeoutMs, deadline }: { timeoutMs: number | undefined; deadline: number | undefined },
  error: unknown,
): unknown {
  if (timeoutMs !== undefined && isDeadline(error, deadline) && !isDisconnected(client)) {
    return new AnswerPendingError(interviewId, timeoutMs);
  }
  if (error instanceof WorkflowNotFoundError) return new SessionNotFoundError(interviewId);
  return temporalFailure(client, sessionFailure(interviewId, error));
}

export function sessionFailure(interviewId: string, error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) return error;
  const { type, message, details } = describeFailure(error.cause);
  if (type === FAILURES.invalidInput) {
    const field = (details as { field?: string } | undefined)?.field ?? 'input';
    return new InvalidInputError(field, message.replace(`${field} `, ''));
  }
  if (type === FAILURES.wrongStage) return new WrongStageError(interviewId, message);
  if (type === FAILURES.tooManyWaiting) return new TooManyWaitingError(interviewId, message);
  return new SessionFailedError(interviewId, type, message, details);
}

export function describeFailure(cause: Error | undefined): { type: string; message: string; details?: unknown } {
  if (cause instanceof ApplicationFailure) {
    return { type: cause.type ?? 'Failed', message: cause.message, details: cause.details?.[0] };
  }
  if (cause instanceof CancelledFailure) return { type: 'Cancelled', message: 'the onboarding was cancelled' };
  if (cause instanceof TerminatedFailure) return { type: 'Terminated', message: 'the onboarding was terminated' };
  if (cause instanceof TimeoutFailure) return { type: 'TimedOut', message: 'the onboarding timed out' };
  return { type: 'Failed', message: cause?.message ?? 'the onboarding failed' };
}

/** The server's clock and timers are not quite ours. */
const DEADLINE_SLACK_MS = 100;

/**
 * gRPC's DEADLINE_EXCEEDED, by itself or wrapped by the SDK or by us; or CANCELLED at that very time, because now and then the
 * server is the first to give up.
 */
export function isDeadline(error: unknown, deadline = Number.POSITIVE_INFINITY): boolean {
  const isOfUpdate = (at: unknown) => at instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
  if (isOfUpdate(error) || (error instanceof Error && isOfUpdate(error.cause))) return true;
  const code = grpcError(error)?.code;
  return code === GRPC.deadlineExceeded || (code === GRPC.cancelled && Date.now() >= deadline - DEADLINE_SLACK_MS);
}

/** The run has ended, from outside or by itself, before it took the update that a request was to start it with. */
export function isAbortedByEnd(error: unknown): boolean {
  const grpc = grpcError(error);
  return (
    grpc?.code === GRPC.notFound && /aborted by closing workflow/.test(`${grpc.details} ${(error as Error).message}`)
  );
}

/** What a signal's failure says of the onboarding; `undefined` if it says nothing of it. */
export function withoutNeed(error: unknown): 'ended' | 'unknownSession' | undefined {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
  if (!(error instanceof WorkflowNotFoundError)) return undefined;
  // The server tells the two apart in a message only.
  return /already completed/.test(error.message) ? 'ended' : 'unknownSession';
}
