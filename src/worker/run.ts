import { GracefulShutdownPeriodExpiredError, IllegalStateError, type Worker } from '@temporalio/worker';

/** What calls that were broken off need to end, and to tell the server. */
const GIVE_UP_AFTER_GRACE_MS = 5_000;

/** When a worker whose activities do not end, although they were broken off, gives them up. */
export function forceTimeMs({ shutdownGraceMs }: { shutdownGraceMs: number }): number {
  return shutdownGraceMs + GIVE_UP_AFTER_GRACE_MS;
}

/** An activity has not ended when it was to; whoever waits for it to end waits for ever. */
export class ShutdownTimeoutError extends Error {
  override readonly name = 'ShutdownTimeoutError';
}

/**
 * Runs workers until they are shut down. If one fails, the process is to end and be started anew, instead of doing half of its
 * work.
 *
 * @throws ShutdownTimeoutError
 */
export async function runAll(workers: readonly Worker[], close: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(workers.map((worker) => worker.run().finally(() => shutDown(workers))));
  } catch (error) {
    // What is still under way holds the connections, so they are left as they are.
    if (isGivenUp(error)) {
      throw new ShutdownTimeoutError(
        'An activity went on after WORKER_SHUTDOWN_GRACE although it was cancelled, such as a token source that does not look at its signal; another worker repeats it',
      );
    }
    await close();
    throw error;
  }
  await close();
}

export function shutDown(workers: readonly Worker[]): void {
  // One that has failed is shut down already.
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** The second is what becomes of the first, because the SDK cannot free a worker in use. */
function isGivenUp(error: unknown): boolean {
  return error instanceof GracefulShutdownPeriodExpiredError || error instanceof IllegalStateError;
}

/**
 * The SDK's signal handlers end a worker that runs. While one is being started nothing is under way, so a signal need not wait for
 * a server that does not answer.
 *
 * @returns `undefined` if the process is to end before
 */
export async function unlessSignalled<T>(starting: Promise<T>): Promise<T | undefined> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  let onSignal = () => {};
  const signalled = new Promise<undefined>((resolve) => {
    onSignal = () => resolve(undefined);
  });
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await Promise.race([starting, signalled]);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
