import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { FAILURES, InvalidInputError } from '../contract/index.js';
import { GRPC } from '../temporal/grpc.js';
import { saysAlreadyCompleted } from '../temporal/sdk-internals.js';
import type { Subject } from './subject.js';
import { grpcError, isUpdateLimit } from './temporal-failure.js';

/** Converts a failure of the subject's workflow into an error of this package. Returns every other error unchanged. */
export function subjectFailure(subject: Subject, error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return saysAlreadyCompleted(error.message) ? subject.ended() : subject.notFound();
  }
  const grpc = grpcError(error);
  if (grpc && isUpdateLimit(grpc)) {
    return subject.tooManyWaiting(
      `${subject.name} has as many updates as Temporal allows: ${grpc.details}. Nothing was changed. Ask again later.`,
    );
  }
  if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) return error;
  const { type, message, details } = describeFailure(error.cause);
  if (type === FAILURES.invalidInput) {
    const field = (details as { field?: string } | undefined)?.field ?? 'input';
    return new InvalidInputError(field, message.replace(`${field} `, ''));
  }
  if (type === FAILURES.wrongStage) return subject.wrongStage(message);
  if (type === FAILURES.tooManyWaiting) return subject.tooManyWaiting(message);
  return subject.failed(type, message, details);
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

/** The server's clock and timers may differ slightly from the client's. */
const DEADLINE_SLACK_MS = 100;

/**
 * Recognizes gRPC's DEADLINE_EXCEEDED, also as a cause. CANCELLED at the deadline counts too, because the server sometimes gives
 * up first.
 */
export function isDeadline(error: unknown, deadline = Number.POSITIVE_INFINITY): boolean {
  const isUpdateTimeout = (at: unknown) => at instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
  if (isUpdateTimeout(error) || (error instanceof Error && isUpdateTimeout(error.cause))) return true;
  const code = grpcError(error)?.code;
  return code === GRPC.deadlineExceeded || (code === GRPC.cancelled && Date.now() >= deadline - DEADLINE_SLACK_MS);
}

/** The run ended before it accepted the update that it was started with. */
export function isAbortedByEnd(error: unknown): boolean {
  const grpc = grpcError(error);
  return (
    grpc?.code === GRPC.notFound && /aborted by closing workflow/.test(`${grpc.details} ${(error as Error).message}`)
  );
}

/** @returns why a signal has no receiver; `undefined` if it failed for another reason */
export function undeliverable(error: unknown): 'ended' | 'unknownSession' | undefined {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
  if (!(error instanceof WorkflowNotFoundError)) return undefined;
  return saysAlreadyCompleted(error.message) ? 'ended' : 'unknownSession';
}
