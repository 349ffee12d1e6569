import type { BatchPlan, CapturePlan, ImageSide, Plan } from '../../src/contract/index.js';
import type { Fault, FaultEffect, SessionSpec } from '../../src/testing/index.js';
import type { Node, ServerKind } from './servers.js';

// A campaign's times: Incode's limit for a request, and every time that depends on it, are a fiftieth of the real ones.
export const TIME_SCALE = 0.02;
export const INCODE_LIMIT_MS = 30_000 * TIME_SCALE;
export const FINISH_TIMEOUT_MS = 700;
export const READ_TIMEOUT_MS = 500;
/** Above Incode's limit and the timeouts, like the default. */
export const SETTLE_MS = 1_000;
/** Above the settle time, but short enough that sessions end within a campaign. */
export const CONFIRM_WITHIN_MS = 4_000;

/** The reason of a reset, which the history records as a failed workflow task. */
export const RESET_REASON = 'Reset by the campaign';

/** Parts of secrets that must never appear in a history, a log or an output. Tokens are JWTs. */
export const SECRET_MARKS = {
  token: 'eyJhbGciOi',
  apiKey: 'api-key-that-must-not-be-seen',
  webhookSecret: 'webhook-secret-that-must-not-be-seen',
  redirection: 'name=Jane-Roe-who-must-not-be-seen',
  image: 'image-bytes-that-must-not-be-seen',
  // The header of every image in base64.
  imageInBase64: '/9j/4AAQSkZJRg',
} as const;

export interface PlannedSession {
  interviewId: string;
  spec: SessionSpec;
  plan: Plan;
  /** The token at the start. */
  token: 'valid' | 'revoked' | 'none';
  /** Set before the first call to Incode for this session. */
  faults: Fault[];
}

/** The outcomes that `customFields.simulate` selects at the simulated Incode. */
export type SimulatedOutcome = 'approved' | 'rejected' | 'review' | 'slow' | 'reviewApproved';

/** How Incode answers the images of a person, in addition to the good ones. */
export type AnswerToImages = 'refusedFront' | 'refusedBack' | 'refusedSelfie' | 'passport' | 'notProcessed';

export interface PlannedPerson {
  reference: string;
  /** The images that the person has. */
  sides: ImageSide[];
  /** Whether the references have digests, so that workers never send another image. */
  hasDigests: boolean;
  simulate: SimulatedOutcome;
  answer: AnswerToImages | null;
  plan: CapturePlan;
  /** Set before the first call to Incode for this person. */
  faults: Fault[];
}

/** A list of people. */
export interface PlannedPeople {
  batchId: string;
  people: PlannedPerson[];
  plan: CapturePlan;
  shardSize: number;
  by: 'library' | 'cli';
}

/** Ends the id of a batch that shares sessions with the batch before it. */
export const OTHER = '.other';

export interface PlannedBatch {
  batchId: string;
  sessions: PlannedSession[];
  plan: BatchPlan;
  shardSize: number;
  /** The program that runs the batch. */
  by: 'library' | 'cli';
}

/** A message to one session. */
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

/** A message to one person's workflow, or a change of the person's images. */
export type PersonAction =
  | 'start'
  | 'startAgain'
  | 'restart'
  | 'replaceImage'
  | 'repeatStarted'
  | 'expireToken'
  | 'askState'
  | 'cancel'
  | 'terminate'
  | 'endSession'
  | 'resetWorkflow'
  | 'resetActivity'
  | 'pauseActivity'
  | 'unpauseActivity'
  | 'loseImage'
  | 'changeImage'
  | 'truncateImage';

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

/** A fault of the processes, the server or Incode. */
export type WorldAction =
  | { kind: 'killWorker' | 'deployWorker'; slots: number[]; downMs: number }
  | { kind: 'freezeWorker'; slots: number[]; forMs: number }
  | { kind: 'killServer' | 'killReceiver' | 'restartReceiver'; downMs: number }
  | { kind: 'outage'; effect: FaultEffect; calls: number }
  | { kind: 'wrongApiKey' | 'brokenKeysFile' | 'losesWebhooks'; forMs: number }
  | { kind: 'rateLimit' | 'documentRateLimit'; forMs: number; perSecond: number }
  | { kind: 'addKey' | 'useKey' | 'list' }
  | { kind: 'partition'; slots: number[]; how: 'stall' | 'cut'; forMs: number }
  | ClusterAction;

/** A fault of a cluster. */
export type ClusterAction =
  | { kind: 'killNode' | 'restartNode'; node: Node; downMs: number }
  | { kind: 'freezeNode'; node: Node; forMs: number }
  | { kind: 'killDatabase' | 'restartDatabase' | 'killAllNodes'; downMs: number }
  | { kind: 'upgradeServer' }
  | { kind: 'expiredCertificate'; slots: number[]; forMs: number };

export type Action = { atMs: number } & (
  | { to: 'session'; interviewId: string; kind: SessionAction; choice: number }
  | { to: 'batch'; batchId: string; kind: BatchAction; choice: number }
  | { to: 'person'; reference: string; kind: PersonAction; choice: number }
  | ({ to: 'world' } & WorldAction)
);

/** All actions of a campaign, with their times. */
export interface Schedule {
  seed: number;
  seconds: number;
  server: ServerKind;
  /** Single sessions per second. */
  perSecond: number;
  /** Whether workers use the built-in token source. */
  tokenSource: boolean;
  sessions: PlannedSession[];
  batches: PlannedBatch[];
  /** People who are started singly. */
  people: PlannedPerson[];
  lists: PlannedPeople[];
  /** In order of time. */
  actions: Action[];
}
