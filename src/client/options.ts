import type { Client } from '@temporalio/client';

export interface OnboardingClientOptions {
  client: Client;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
}

export interface WaitOptions {
  /** How long to wait, in milliseconds. @default no limit of its own */
  timeoutMs?: number;
}

export interface UpdateOptions {
  /** Names the request: repeated under the same id it is answered again, but not obeyed again. @default a new one */
  updateId?: string;
}
