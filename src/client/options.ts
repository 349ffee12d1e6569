import type { Client } from '@temporalio/client';
import { InvalidInputError, MAX_DURATION_MS } from '../contract/index.js';

export interface OnboardingClientOptions {
  /** Your Temporal client. Its namespace, data converter and interceptors are used as they are. */
  client: Client;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
  /**
   * Hands the first task of an onboarding to a worker in this process together with the answer to its start, which saves one
   * trip over the task queue. Needs a client on a worker's own connection (`OnboardingWorker.connection`); with any other,
   * Temporal's client refuses to start anything.
   *
   * @default false, because most clients run in a process without a worker
   */
  requestEagerStart?: boolean;
}

/**
 * How long `finish`, `renewToken` and `extendDeadline` wait, in milliseconds. Incode answers within a second; its own limit for a
 * request is 30 s.
 */
export const DEFAULT_TIMEOUT_MS = 30_000;

export interface WaitOptions {
  /**
   * How long to wait for the answer, in milliseconds, above 0; `Infinity` waits without a limit. After it, the call throws
   * `AnswerPendingError` and the onboarding goes on. Set it below the timeout of the request that you are answering.
   *
   * @default 30000 for `finish`, `renewToken` and `extendDeadline`; `Infinity` for `result`, because an onboarding may take months
   */
  timeoutMs?: number;
}

export interface UpdateOptions extends WaitOptions {
  /**
   * Id of the request. Repeated under the same id it gets the same answer and changes nothing more, so choose one if you retry.
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
  checkMilliseconds('timeoutMs', timeoutMs, 'above 0, or Infinity');
  return Date.now() + timeoutMs;
}

/** gRPC throws where nobody can catch it for a deadline that is no number, or too far away. @throws InvalidInputError */
export function checkMilliseconds(field: string, value: number, range = 'above 0'): void {
  if (typeof value === 'number' && value > 0 && value <= MAX_DURATION_MS) return;
  throw new InvalidInputError(field, `must be a number of milliseconds ${range}`);
}
