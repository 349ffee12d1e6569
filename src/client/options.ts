import type { Client } from '@temporalio/client';
import { MAX_DURATION_MS } from '../contract/duration.js';
import { InvalidInputError } from '../contract/index.js';

export interface OnboardingClientOptions {
  /** Your Temporal client, with its namespace, data converter and interceptors. */
  client: Client;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
  /** Task queue of the workers that complete batches, for `completeBatch` with this client. @default "incode-onboarding-bulk" */
  bulkTaskQueue?: string;
  /**
   * Lets a worker in this process receive an onboarding's first task with the response to its start, which saves one trip through
   * the task queue. Needs a client on a worker's connection (`OnboardingWorker.connection`). With any other client, Temporal
   * refuses every start.
   *
   * @default false, because most clients run in a process without a worker
   */
  requestEagerStart?: boolean;
}

/** How long `finish`, `renewToken` and `extendDeadline` wait. Incode usually answers within a second; its request limit is 30 s. */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface WaitOptions {
  /**
   * How long to wait for the answer, in milliseconds, above 0. `Infinity` waits without a timeout. After the timeout, the call
   * throws `AnswerPendingError` and the onboarding continues. Set it below the timeout of the request that you are serving.
   *
   * @default 30000 for `finish`, `renewToken` and `extendDeadline`; `Infinity` for `result`, because an onboarding may take months
   */
  timeoutMs?: number;
  /**
   * Ends the wait when it aborts, for example because the caller of the request that you are serving has left. The call then throws
   * the signal's reason. What the server has accepted continues: a session that was started is completed. If the server has not
   * received the request by then, nothing was started.
   *
   * @default none
   */
  signal?: AbortSignal;
}

export interface UpdateOptions extends WaitOptions {
  /**
   * Id of the request. A repeated request with the same id gets the same answer and changes nothing. Set it if you retry.
   *
   * @default a new id for each call
   */
  updateId?: string;
}

/**
 * @returns when to give up, in ms since the epoch; `undefined` without a limit
 * @throws InvalidInputError
 */
export function deadlineOf(timeoutMs: number): number | undefined {
  if (timeoutMs === Number.POSITIVE_INFINITY) return undefined;
  checkMilliseconds('timeoutMs', timeoutMs, `${RANGE}, or Infinity`);
  return Date.now() + timeoutMs;
}

const RANGE = `above 0, at most ${(MAX_DURATION_MS / 86_400_000).toLocaleString('en-US')} days`;

/** For a deadline that is not a number or too far away, gRPC throws an error that cannot be caught. @throws InvalidInputError */
export function checkMilliseconds(field: string, value: number, range = RANGE): void {
  if (typeof value === 'number' && value > 0 && value <= MAX_DURATION_MS) return;
  throw new InvalidInputError(field, `must be a number of milliseconds ${range}`);
}
