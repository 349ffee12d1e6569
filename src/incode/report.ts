import { omitUndefined } from '../contract/omit-undefined.js';
import { IncodeError, type IncodeOperation } from './errors.js';
import type { IncodeClientOptions } from './options.js';

/** Reports a completed call to `onCall`, if it is set. */
export function report(
  onCall: IncodeClientOptions['onCall'],
  operation: IncodeOperation,
  answer: unknown,
  httpStatus: number | undefined,
  durationMs: number,
): void {
  const outcome = answer instanceof IncodeError ? answer.kind : 'ok';
  try {
    onCall?.({ operation, outcome, ...omitUndefined({ httpStatus }), durationMs });
  } catch {
    // A failing callback must not fail the call.
  }
}
