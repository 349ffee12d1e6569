import { ConfigError } from '../../config/reader.js';
import { withUnknownVariables } from '../../config/unknown-variables.js';
import { InvalidInputError } from '../../contract/index.js';

/** Exit codes of every command; `docs/cli.md` repeats them. */
export const EXIT = {
  ok: 0,
  /** Incode refused the session, a check failed, or an unexpected error occurred. */
  failed: 1,
  /** Wrong usage, input or configuration, or a request that the session's stage does not allow. Nothing was done. */
  usage: 2,
  /** Not done yet. The work continues on the server. */
  pending: 3,
  /** No such onboarding. */
  notFound: 4,
  /** The onboarding has already ended. Nothing was done. */
  completedBefore: 5,
  /** A batch is done, but some of its sessions failed. */
  someFailed: 6,
  /** The shell convention for SIGINT: 128 + 2. */
  interrupted: 130,
} as const;

/** Reports an invalid configuration without a stack trace. */
export function configured<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError ? new CliError(withUnknownVariables(error.message), EXIT.usage) : error;
  }
}

/** @returns what is wrong with the input. Rethrows every other error */
export function inputProblem(error: unknown): string {
  if (error instanceof InvalidInputError) return error.message;
  throw error;
}

/** Reports a failed start, for example because a port is in use, without a stack trace. */
export async function started<T>(what: string, start: Promise<T>): Promise<T> {
  try {
    return await start;
  } catch (error) {
    const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
    throw new CliError(`${what}: ${code === 'EADDRINUSE' ? `port ${port} is taken` : message}`, EXIT.failed);
  }
}

const DISK_PROBLEMS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the user's disk quota is used up",
  EFBIG: 'the file would be larger than the system allows',
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
};

/** @returns a readable reason why a file could not be read or written */
export function diskProblem(error: unknown): string {
  return (
    DISK_PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''] ??
    (error instanceof Error ? error.message : String(error))
  );
}

/** Ends the command with a readable message instead of a stack trace. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}
