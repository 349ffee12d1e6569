export const VERIFY_FIRST = ['look', 'settle', 'trust'] as const;

/**
 * What happens before the first request to finish a session:
 * - `look`: the worker reads the session's status at Incode, and finishes only an unfinished session;
 * - `settle`: the same for a session that somebody else may be finishing right now. If it is unfinished, the worker leaves it alone
 *   for the settle time, and reads the status again;
 * - `trust`: the worker finishes without reading. This saves one request, and finishes a session a second time if anything else
 *   has finished it before.
 */
export type VerifyFirst = (typeof VERIFY_FIRST)[number];

/**
 * Reads also what callers of earlier versions send. `true` asked for a settle time. `false` skipped the look, which now only the
 * word `trust` does.
 */
export function resolveVerifyFirst(value: VerifyFirst | boolean | undefined): VerifyFirst {
  if (value === true) return 'settle';
  return value === 'settle' || value === 'trust' ? value : 'look';
}
