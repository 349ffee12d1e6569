import { diskProblem, EXIT } from './exit.js';

/** @returns when somebody wants this process to end */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** What ends a command that does not handle it itself: Ctrl-C, a reader such as `head` that has closed the pipe, a full disk. */
export function endQuietly(): void {
  process.on('SIGINT', () => {
    // A command that takes care of Ctrl-C listens too, until the first one.
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

/** @returns why results did not get to stdout */
export function outputProblem(error: unknown): string {
  return `Cannot write to stdout: ${diskProblem(error)}`;
}
