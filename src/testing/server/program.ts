import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { omitUndefined } from '../../contract/omit-undefined.js';

/** Version of the Temporal CLI that this package is tested with and downloads. */
export const VERSION = '1.9.1';

export const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

type Environment = Readonly<Record<string, string | undefined>>;

export interface FindOptions {
  env: Environment;
  /** Folder of a downloaded program. */
  cacheDir: string;
  onProgress: (message: string) => void;
}

/** Variables that child processes need. Keys and tokens of this process are not among them. */
const NEEDED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|USERPROFILE|APPDATA|LOCALAPPDATA|PATHEXT|COMSPEC)$/i;

/** @param also other variables to pass on. @default none */
export function minimalEnvironment(env: Environment = process.env, also = /(?!)/): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => NEEDED.test(name) || also.test(name)));
}

const execute = promisify(execFile);

/** Runs a program until it ends. The default environment is the minimal one. */
export function run(
  command: string,
  args: string[],
  { env = minimalEnvironment(), timeout }: { env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  return execute(command, args, { env, ...omitUndefined({ timeout }) });
}
