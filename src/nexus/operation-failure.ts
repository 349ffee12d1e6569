/** Why an operation failed, for callers that handle failures by type. */
export interface OperationFailure {
  /** One of the contract's `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`, or Nexus's `BAD_REQUEST`, `NOT_FOUND`. */
  type: string;
  message: string;
}

/**
 * Finds the type of a failed operation in the caller's workflow. It is in the error's chain of causes; how deep depends on the operation
 * and on how fast it failed.
 *
 * @example
 * try {
 *   await onboarding.executeOperation('finish', { interviewId, sessionToken });
 * } catch (error) {
 *   if (operationFailure(error)?.type === FAILURES.unknownSession) return 'unknown';
 *   throw error;
 * }
 *
 * @returns `undefined` if the error is not from an operation
 */
export function operationFailure(error: unknown): OperationFailure | undefined {
  const [operation, ...causes] = chain(error);
  if (operation?.name !== 'NexusOperationFailure') return undefined;
  const typed = causes.map(({ name, type, message }) => ({ type: ENDINGS[name] ?? type, message }));
  return typed.findLast((cause): cause is OperationFailure => typeof cause.type === 'string');
}

/** Types for Temporal's failures that have no type field. */
const ENDINGS: Record<string, string> = {
  CancelledFailure: 'Cancelled',
  TerminatedFailure: 'Terminated',
  TimeoutFailure: 'TimedOut',
};

type Cause = Error & { type?: unknown };

function chain(error: unknown): Cause[] {
  return error instanceof Error ? [error, ...chain(error.cause)] : [];
}
