import type { Client } from '@temporalio/client';

export interface OnboardingClientOptions {
  client: Client;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
  /**
   * Hands the first task of an onboarding to a worker of this process right with the answer to its start, which saves the way
   * over the task queue. For a client on a worker's own connection (`OnboardingWorker.connection`); with any other Temporal's
   * client refuses to start anything.
   *
   * @default false: most clients run where no worker does
   */
  requestEagerStart?: boolean;
}

export interface WaitOptions {
  /** How long to wait, in milliseconds. @default no limit of its own */
  timeoutMs?: number;
}

export interface UpdateOptions {
  /** Names the request: repeated under the same id it is answered again, but not obeyed again. @default a new one */
  updateId?: string;
}
