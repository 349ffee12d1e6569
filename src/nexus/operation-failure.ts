/** Why an operation failed, for callers who decide by it. */
export interface OperationFailure {
  /** One of the contract's `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`; or Nexus's own `BAD_REQUEST`, `NOT_FOUND`. */
  type: string;
  message: string;
}

/**
 * Reads what a failed operation threw in the caller's workflow. The type stands in its chain of causes; how deep depends on
 * the operation, and on how fast it failed.
 *
 * @returns `undefined` for what no operation threw
 */
export function operationFailure(error: unknown): OperationFailure | undefined {
  const [operation, ...causes] = chain(error);
  if (operation?.name !== 'NexusOperationFailure') return undefined;
  const typed = causes.map(({ name, type, message }) => ({ type: ENDINGS[name] ?? type, message }));
  return typed.findLast((cause): cause is OperationFailure => typeof cause.type === 'string');
}

/** Failures of Temporal that have no type of their own. */
const ENDINGS: Record<string, string> = {
  CancelledFailure: 'Cancelled',
  TerminatedFailure: 'Terminated',
  TimeoutFailure: 'TimedOut',
};

type Cause = Error & { type?: unknown };

function chain(error: unknown): Cause[] {
  return error instanceof Error ? [error, ...chain(error.cause)] : [];
}
