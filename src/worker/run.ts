import { GracefulShutdownPeriodExpiredError, IllegalStateError, type Worker } from '@temporalio/worker';

/** Time for cancelled calls to end and report to the server. */
const FORCE_AFTER_GRACE_MS = 5_000;

/** When a worker abandons activities that ignore their cancellation. */
export function forceTimeMs({ shutdownGraceMs }: { shutdownGraceMs: number }): number {
  return shutdownGraceMs + FORCE_AFTER_GRACE_MS;
}

/** An activity ignored its cancellation. Waiting for it could take forever. */
export class ShutdownTimeoutError extends Error {
  override readonly name = 'ShutdownTimeoutError';
}

/**
 * Runs workers until they are shut down. If one fails, all are shut down, so that the process can restart instead of doing half of its
 * work.
 *
 * @throws ShutdownTimeoutError
 */
export async function runAll(workers: readonly Worker[], close: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(workers.map((worker) => worker.run().finally(() => shutDown(workers))));
  } catch (error) {
    // Calls in flight still use the connections, so they stay open.
    if (isAbandoned(error)) {
      throw new ShutdownTimeoutError(
        'An activity ignored its cancellation after WORKER_SHUTDOWN_GRACE, for example a token source that ignores its signal. Another worker repeats it',
      );
    }
    await close();
    throw error;
  }
  await close();
}

export function shutDown(workers: readonly Worker[]): void {
  // A failed worker is shut down already.
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** The SDK cannot free a worker in use, so an expired grace period may surface as IllegalStateError. */
function isAbandoned(error: unknown): boolean {
  return error instanceof GracefulShutdownPeriodExpiredError || error instanceof IllegalStateError;
}

/**
 * Handles signals while a worker starts. The SDK handles them only while it runs, and a starting worker may wait for a server that does
 * not answer.
 *
 * @returns `undefined` if a signal came first
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
