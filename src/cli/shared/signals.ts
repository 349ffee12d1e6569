import { diskProblem, EXIT } from './exit.js';

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** Default handling of Ctrl-C, of a pipe that its reader (such as `head`) has closed, and of a full disk. */
export function endQuietly(): void {
  process.on('SIGINT', () => {
    // A command that handles the first Ctrl-C itself has added a listener.
    if (process.listenerCount('SIGINT') === 1) process.exit(EXIT.interrupted);
  });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (stream.listenerCount('error') > 1) return;
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
      if (stream === process.stdout) process.stderr.write(`${outputProblem(error)}\n`);
      process.exit(EXIT.failed);
    });
  }
}

/** @returns why results could not be written to stdout */
export function outputProblem(error: unknown): string {
  return `Cannot write to stdout: ${diskProblem(error)}`;
}
