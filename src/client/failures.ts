import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { FAILURES, InvalidInputError } from '../contract/index.js';
import { SessionFailedError } from './errors.js';

/** Turns a failed workflow or update into what a caller can act upon; whatever else was thrown is passed on untouched. */
export function sessionFailure(interviewId: string, error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) return error;
  const { type, message, details } = describeFailure(error.cause);
  if (type === FAILURES.invalidInput) {
    const field = (details as { field?: string } | undefined)?.field ?? 'input';
    return new InvalidInputError(field, message.replace(`${field} `, ''));
  }
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
