/** `skipped`: could not run, because a prerequisite failed or is missing. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  name: string;
  status: CheckStatus;
  message: string;
  /** What to do about it. */
  todo?: string;
}

/** Turns an error into the check's result, so that other checks still run. */
export async function check(name: string, find: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await find()) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { name, status: 'failed', message: cause instanceof Error ? cause.message : String(cause) };
  }
}
