import type { SimulatorBehavior } from './behavior.js';

/** Names of Incode's calls in the log and in faults. */
export type SimulatedOperation =
  | 'start'
  | 'addFrontId'
  | 'addBackId'
  | 'processId'
  | 'addFace'
  | 'processFace'
  | 'governmentValidation'
  | 'watchlist'
  | 'userConsent'
  | 'mlConsent'
  | 'addCustomFields'
  | 'customFields'
  | 'images'
  | 'ocrData'
  | 'isFinished'
  | 'finishStatus'
  | 'onboardingStatus'
  | 'score'
  | 'closeSession'
  | 'logIn'
  | 'approve'
  | 'deleteSession'
  | 'deleteSessions'
  | 'searchSessions';

export interface SimulatorOptions {
  /** Port on 127.0.0.1. 0 selects a free port. @default 0 */
  port?: number;
  /** Accepted values of `x-api-key`. @default ["simulator"] */
  apiKeys?: string[];
  /**
   * Factor above 0 for Incode's own times: processing, its limit of 30 s for a request, the retry schedule of webhooks. It does not make
   * the clock faster.
   *
   * @default 1
   */
  timeScale?: number;
  /** A `RateLimit` applies to all calls except those of documents and faces. @default null: no limit */
  rateLimit?: RateLimit | RateLimits | null;
  /** Target of the status webhook, which is sent at each milestone. @default null: none */
  webhook?: WebhookTarget | null;
  /** Target of the session webhook, which is sent at each `SessionEvent`. @default null: none */
  sessionWebhook?: SessionWebhookTarget | null;
  /** Delay of every answer, in milliseconds, not scaled. @default 0 */
  latencyMs?: number;
  /** Behavior where Incode's is not known. @default the defaults of `SimulatorBehavior` */
  behavior?: Partial<SimulatorBehavior>;
  /** File that keeps the sessions. @default in memory only */
  dataFile?: string;
}

/** A token bucket that all clients share. Incode's limit is said to be 100 per second with a burst of 50, see `RateLimits`. */
export interface RateLimit {
  /** Requests per second. */
  perSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
  /** Whether a 429 has the header `Retry-After`. It is not known whether Incode sends it. @default true */
  retryAfter?: boolean;
}

/** Limits by class of calls. Incode's are said to be 1 per second with a burst of 5 for documents, and the same for faces. */
export interface RateLimits {
  /** Front, back and `process/id`. @default null: no limit */
  documents?: RateLimit | null;
  /** Selfie and `process/face`. @default null: no limit */
  faces?: RateLimit | null;
  /** All other calls. @default null: no limit */
  others?: RateLimit | null;
  /** Whether the calls of a class share one bucket, or each has its own. @default "class" */
  buckets?: 'class' | 'endpoint';
}

export interface WebhookTarget {
  url: string;
  /** Headers of every delivery, as set on Incode's dashboard. */
  headers?: Record<string, string>;
  /** OAuth2 client credentials. The simulator gets a bearer token from `tokenUrl` with HTTP Basic. */
  oauth?: { tokenUrl: string; clientId: string; clientSecret: string };
}

/** Names in the session webhook differ between environments and versions of Incode. */
export interface SessionWebhookTarget extends WebhookTarget {
  /** The field with the event. @default "event_type" */
  eventField?: 'event_type' | 'eventType';
  /** Names of events: "SESSION_SUCCEEDED" or "Session Succeeded". @default "constants" */
  eventNames?: 'constants' | 'words';
}

/** Events of the session webhook. It does not report that a session expired. */
export type SessionEvent =
  | 'SESSION_STARTED'
  /** The session was opened again. */
  | 'SESSION_PROGRESS'
  | 'SESSION_SUCCEEDED'
  | 'SESSION_FAILED'
  | 'SESSION_PENDING_REVIEW'
  /** The session was approved for the first time. */
  | 'IDENTITY_ENROLLED';

/** The course of a session. */
export interface SessionSpec {
  /** @default a new id of 24 hexadecimal digits */
  interviewId?: string;
  /** Decision of the business rules. @default "approved" */
  action?: string;
  /** The score when it is ready. @default status OK, value "94.6" */
  score?: { status: string; value: string };
  /**
   * How long the score stays UNKNOWN after finish-status, in milliseconds, not scaled. `Infinity`, or `null` in JSON, means that it
   * becomes ready only by `setScoreReady`.
   *
   * @default 0
   */
  scoreReadyAfterMs?: number | null;
  /** @default "" */
  redirectionUrl?: string;
  /** @default "UNKNOWN" */
  onboardingStatus?: string;
  /**
   * Time from opening to the end of post-processing, in milliseconds, not scaled. The status then becomes POST_PROCESSING_FINISHED.
   * `Infinity`, or `null` in JSON, means that it does not end by itself. Sessions of `POST /omni/start` have `null`, so that a waiting
   * client never finishes an empty session.
   *
   * @default the session counts as processed until documents are added
   */
  processedAfterMs?: number | null;
  /**
   * Time from opening until the session expires unless it is finished, in milliseconds, not scaled. The status then becomes EXPIRED.
   *
   * @default never
   */
  expiresAfterMs?: number | null;
  externalCustomerId?: string;
  flowId?: string;
  /** A person's verdict, `afterMs` milliseconds after finish-status, not scaled. @default none */
  manualReview?: { verdict: 'APPROVED' | 'REJECTED'; afterMs: number };
  /** Validity of the first token, in milliseconds. A negative value makes an expired token. @default 90 days */
  tokenExpiresInMs?: number;
}

export interface OpenedSession {
  interviewId: string;
  token: string;
}

/** How often each call took effect. `finished` above 1 means that the session was finished twice. */
export interface Effects {
  finished: number;
  closed: number;
  approved: number;
}

/** A session as the simulator knows it now. */
export interface SessionView {
  interviewId: string;
  onboardingStatus: string;
  sessionStatus: 'Alive' | 'Closed';
  /** The current answer of `GET /omni/get/score`. */
  score: { status: string; value: string | null };
  externalCustomerId: string | null;
  flowId: string | null;
  effects: Effects;
}

/** One attempt to deliver a webhook. */
export interface Delivery {
  /** When it was sent: milliseconds since the epoch, by the simulator's clock. */
  at: number;
  webhook: 'status' | 'session';
  interviewId: string;
  onboardingStatus: string;
  /** `null` for status webhooks. */
  event: SessionEvent | null;
  /** 1 for the first. */
  attempt: number;
  /** `null` if there was no answer. */
  httpStatus: number | null;
  /** Whether Incode counts the answer as received: 200 with JSON, or 204. */
  accepted: boolean;
  /** Not accepted, and not sent again. */
  lost: boolean;
}
