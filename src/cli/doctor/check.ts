/** `skipped`: it cannot be told, because something else failed or is not there. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  name: string;
  status: CheckStatus;
  message: string;
  /** What to do about it. */
  todo?: string;
}

/** Whatever goes wrong in one check is its result, and hides no other. */
export async function check(name: string, find: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await find()) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { name, status: 'failed', message: cause instanceof Error ? cause.message : String(cause) };
  }
}
