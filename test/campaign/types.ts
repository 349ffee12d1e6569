import type { BatchPlan, Plan } from '../../src/contract/index.js';
import type { Fault, FaultEffect, SessionSpec } from '../../src/testing/index.js';

// A campaign's times: Incode's limit for a request, and everything that follows from it, a fiftieth of what they are.
export const TIME_SCALE = 0.02;
export const INCODE_LIMIT_MS = 30_000 * TIME_SCALE;
export const FINISH_TIMEOUT_MS = 700;
export const READ_TIMEOUT_MS = 500;
/** Above Incode's limit and the time-outs, as by default. */
export const SETTLE_MS = 1_000;
/** Above the settle time, and short enough that sessions end within a campaign. */
export const CONFIRM_WITHIN_MS = 4_000;

/** Stands in the history of a workflow that was reset, as the failure of a workflow task. */
export const RESET_REASON = 'Reset by the campaign';

/** Parts of secrets that never reach a history, a log or an output. Tokens are JWTs. */
export const SECRET_MARKS = {
  token: 'eyJhbGciOi',
  apiKey: 'api-key-that-must-not-be-seen',
  webhookSecret: 'webhook-secret-that-must-not-be-seen',
  redirection: 'name=Jane-Roe-who-must-not-be-seen',
} as const;

export interface PlannedSession {
  interviewId: string;
  spec: SessionSpec;
  plan: Plan;
  /** What it is started with. */
  token: 'valid' | 'revoked' | 'none';
  /** Set before anybody can call Incode for it. */
  faults: Fault[];
}

export interface PlannedBatch {
  batchId: string;
  sessions: PlannedSession[];
  plan: BatchPlan;
  shardSize: number;
  /** Which program runs it. */
  by: 'library' | 'cli';
}

/** What is said to one session. */
export type SessionAction =
  | 'start'
  | 'startAgain'
  | 'restart'
  | 'finish'
  | 'renewToken'
  | 'expireToken'
  | 'extendDeadline'
  | 'statusChanged'
  | 'repeatWebhook'
  | 'cancel'
  | 'terminate'
  | 'resetWorkflow'
  | 'resetActivity'
  | 'pauseActivity'
  | 'unpauseActivity'
  | 'askState';

export type BatchAction =
  | 'run'
  | 'detach'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'cancelShard'
  | 'terminateShard'
  | 'resetShard'
  | 'resetActivityOfShard';

/** What happens to the world. */
export type WorldAction =
  | { kind: 'killWorker' | 'deployWorker'; slots: number[]; downMs: number }
  | { kind: 'freezeWorker'; slots: number[]; forMs: number }
  | { kind: 'killServer' | 'killReceiver' | 'restartReceiver'; downMs: number }
  | { kind: 'outage'; effect: FaultEffect; calls: number }
  | { kind: 'wrongApiKey' | 'brokenKeysFile' | 'losesWebhooks'; forMs: number }
  | { kind: 'rateLimit'; forMs: number; perSecond: number }
  | { kind: 'addKey' | 'useKey' | 'list' };

export type Action = { atMs: number } & (
  | { to: 'session'; interviewId: string; kind: SessionAction; choice: number }
  | { to: 'batch'; batchId: string; kind: BatchAction; choice: number }
  | ({ to: 'world' } & WorldAction)
);

/** Everything that is done, when and to whom. */
export interface Schedule {
  seed: number;
  seconds: number;
  /** Workers have the built-in one. */
  tokenSource: boolean;
  sessions: PlannedSession[];
  batches: PlannedBatch[];
  /** By their time. */
  actions: Action[];
}
