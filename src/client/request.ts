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

/**
 * Sends a request about one session or person.
 *
 * @param timeoutMs as in `WaitOptions`
 * @throws TemporalIncodeError for every failure
 */
export async function requestFor<T>(
  client: Client,
  subject: Subject,
  timeoutMs: number,
  request: () => Promise<T>,
): Promise<T> {
  const deadline = deadlineOf(timeoutMs);
  const retrying = () => retryTaskFailures(request, deadline);
  try {
    await checkReachable(client, deadline);
    return await (deadline === undefined ? retrying() : client.withDeadline(deadline, retrying));
  } catch (error) {
    const isLate = deadline !== undefined && isTooLate(error, deadline) && !isDisconnected(client);
    throw isLate
      ? await pendingAnswer(client, subject, timeoutMs, error)
      : temporalFailure(client, subjectFailure(subject, error));
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
