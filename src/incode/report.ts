import { IncodeError, type IncodeOperation } from './errors.js';
import type { IncodeClientOptions } from './options.js';

/** Tells the observer, if there is one, what a call came to. */
export function report(
  onCall: IncodeClientOptions['onCall'],
  operation: IncodeOperation,
  answer: unknown,
  httpStatus: number | undefined,
  durationMs: number,
): void {
  const outcome = answer instanceof IncodeError ? answer.kind : 'ok';
  try {
    onCall?.({ operation, outcome, ...(httpStatus === undefined ? {} : { httpStatus }), durationMs });
  } catch {
    // Whoever counts is broken; the call is not.
  }
}
