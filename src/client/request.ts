import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { checkReachable, isDisconnected } from './connectivity.js';
import { isDeadline, subjectFailure } from './failures.js';
import { deadlineOf } from './options.js';
import { pendingAnswer } from './pending-answer.js';
import type { Subject } from './subject.js';
import { grpcError, isTaskFailure, temporalFailure } from './temporal-failure.js';

/** A restarting worker is back within seconds. */
const TASK_FAILURE_PAUSE_MS = 500;

/** How long to wait, as in `WaitOptions`. */
export interface Wait {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export const UNLIMITED: Wait = { timeoutMs: Number.POSITIVE_INFINITY };

/**
 * Sends a request about one session or person.
 *
 * @throws TemporalIncodeError for every failure; the reason of the signal if it aborts
 */
export async function requestFor<T>(
  client: Client,
  subject: Subject,
  { timeoutMs, signal }: Wait,
  request: () => Promise<T>,
): Promise<T> {
  const deadline = deadlineOf(timeoutMs);
  const retrying = () => retryTaskFailures(request, deadline);
  const inTime = () => (deadline === undefined ? retrying() : client.withDeadline(deadline, retrying));
  try {
    if (!signal) {
      await checkReachable(client, deadline);
      return await inTime();
    }
    return await untilAborted(signal, async () => {
      await checkReachable(client, deadline);
      signal.throwIfAborted();
      return client.withAbortSignal(signal, inTime);
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const isLate = deadline !== undefined && isTooLate(error, deadline) && !isDisconnected(client);
    throw isLate
      ? await pendingAnswer(client, subject, timeoutMs, error)
      : temporalFailure(client, subjectFailure(subject, error));
  }
}

/** The calls in flight are cancelled too, except on a worker's connection, which cannot cancel one. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function isTooLate(error: unknown, deadline: number): boolean {
  const grpc = grpcError(error);
  return isDeadline(error, deadline) || (grpc !== undefined && isTaskFailure(grpc));
}

/** An update fails if its worker stops while accepting it. The next worker may accept it. */
async function retryTaskFailures<T>(request: () => Promise<T>, deadline = Number.POSITIVE_INFINITY): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const grpc = grpcError(error);
      if (!grpc || !isTaskFailure(grpc) || Date.now() + TASK_FAILURE_PAUSE_MS >= deadline) throw error;
      await sleep(TASK_FAILURE_PAUSE_MS);
    }
  }
}
