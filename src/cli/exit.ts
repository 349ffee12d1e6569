/** Exit codes of every command; `docs/cli.md` repeats them. */
export const EXIT = {
  ok: 0,
  /** Incode refused the session for good, or something unexpected happened. */
  failed: 1,
  /** Wrong usage, input or configuration. Nothing was started. */
  usage: 2,
  /** Not done yet: it goes on at the server. */
  pending: 3,
  /** No such onboarding. */
  notFound: 4,
  /** Completed before, so nothing was done. */
  completedBefore: 5,
  /** A batch is done, but some of its sessions failed. */
  someFailed: 6,
} as const;

/** Ends the command with a message for people instead of a stack trace. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}
