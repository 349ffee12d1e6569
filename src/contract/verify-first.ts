/** All modes of `verifyFirst`. */
export const VERIFY_FIRST = ['look', 'settle', 'trust'] as const;

/**
 * What happens before the first request to finish a session:
 * - `look`: the worker reads the session's status at Incode, and finishes only an unfinished session;
 * - `settle`: for a session that another process may be finishing right now. If it is unfinished, the worker waits for the settle
 *   time and reads the status again;
 * - `trust`: the worker finishes without reading. This saves one request, and finishes a session a second time if anything else
 *   has finished it before.
 */
export type VerifyFirst = (typeof VERIFY_FIRST)[number];

/** Also reads the booleans of earlier versions: `true` means `settle`. `false` means `look`, because only `trust` skips the read. */
export function resolveVerifyFirst(value: VerifyFirst | boolean | undefined): VerifyFirst {
  if (value === true) return 'settle';
  return value === 'settle' || value === 'trust' ? value : 'look';
}
