import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';

/** Where a Temporal server is when nobody says. */
export const DEFAULT_ADDRESS = 'localhost:7233';

/**
 * `TEMPORAL_ADDRESS` and the like, and the profile file that `temporal config` writes.
 *
 * @param env read instead of `process.env`
 * @throws Error without the lines of the file: the API key stands there
 */
export function loadTemporalConfig(env?: Record<string, string>): ClientConnectConfig {
  try {
    return loadClientConnectConfig(env ? { overrideEnvVars: env } : {});
  } catch (error) {
    const { message, line, column } = error as Error & { line?: number; column?: number };
    // The parser of the file quotes what stands around the mistake, after its first line.
    const what = message.replace(/\n.*/s, '');
    throw new Error(line === undefined ? what : `${what} (line ${line}, column ${column})`);
  }
}
