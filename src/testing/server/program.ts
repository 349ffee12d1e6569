import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The version of the Temporal CLI that this package is tested with, and that is downloaded. */
export const VERSION = '1.9.1';

export const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

type Environment = Readonly<Record<string, string | undefined>>;

export interface FindOptions {
  env: Environment;
  /** Where a downloaded program is kept. */
  cacheDir: string;
  onProgress: (message: string) => void;
}

/** What a program needs that is not ours; the keys and tokens of this process are not among them. */
const NEEDED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|USERPROFILE|APPDATA|LOCALAPPDATA|PATHEXT|COMSPEC)$/i;

/** @param also which other variables are passed on. @default none */
export function minimalEnvironment(env: Environment = process.env, also = /(?!)/): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => NEEDED.test(name) || also.test(name)));
}

const execute = promisify(execFile);

/** Runs a program to its end, in a minimal environment unless another one is given. */
export function run(
  command: string,
  args: string[],
  { env = minimalEnvironment(), timeout }: { env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  return execute(command, args, { env, ...(timeout === undefined ? {} : { timeout }) });
}
