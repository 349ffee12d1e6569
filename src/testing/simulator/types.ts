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
  | 'ocrData'
  | 'isFinished'
  | 'finishStatus'
  | 'onboardingStatus'
  | 'score'
  | 'closeSession'
  | 'logIn'
  | 'approve'
  | 'deleteSession';

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
  /** @default null: no limit */
  rateLimit?: RateLimit | null;
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

/**
 * A token bucket that all clients share, for finish-status, status and score together. Incode's limit is said to be 100 per second with a
 * burst of 50.
 */
export interface RateLimit {
  /** Requests per second. */
  perSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
  /** Whether a 429 has the header `Retry-After`. It is not known whether Incode sends it. @default true */
  retryAfter?: boolean;
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
   * How long the score stays UNKNOWN after finish-status, in milliseconds, not scaled. `Infinity`, or `null` in JSON, means that it never
   * becomes ready.
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

/** One call to the simulator. */
export interface Call {
  /** Milliseconds since the epoch, by the simulator's clock. */
  at: number;
  operation: SimulatedOperation;
  /** `null` if the call named no session. */
  interviewId: string | null;
  /** `null` if there was no answer. */
  httpStatus: number | null;
  /** When the call took effect or was processed, like `at`. `null` if it never was. */
  effectAt: number | null;
  /** The kind of the fault that applied. */
  fault: FaultKind | null;
}

/** Selects the calls for a fault. It skips the first `skip` matches and then applies `times` times. */
export interface FaultMatch {
  operation?: SimulatedOperation;
  interviewId?: string;
  /** `Infinity`, or `null` in JSON, means until the faults are cleared. @default 1 */
  times?: number | null;
  /** @default 0 */
  skip?: number;
}

/** Whether and when a call takes effect at Incode although the caller does not get the answer. */
export interface FaultTiming {
  /** @default true for `truncated`, `body` and `huge`, which look like an answer of Incode; false for the others */
  effect?: boolean;
  /**
   * Time from the request to its effect, in milliseconds. The effect happens even if the caller gets another answer or disconnects.
   * Incode ends a request after 30 s (scaled), so a later effect never happens.
   *
   * @default 0: before the caller notices the fault
   */
  effectAfterMs?: number;
}

/** What a fault does to a call. */
export type FaultEffect =
  /**
   * The answer is delayed by `ms`. Beyond Incode's limit for a request, it is 504. The call takes effect after `effectAfterMs`, by
   * default after `ms`, even if the caller disconnects.
   */
  | { kind: 'latency'; ms: number; effectAfterMs?: number }
  /** No answer until Incode ends the request by closing the connection. */
  | (FaultTiming & { kind: 'hang' })
  /** An HTTP status with Incode's error body, a gateway's HTML, or an empty body. @default body "json" */
  | (FaultTiming & {
      kind: 'status';
      status: number;
      body?: 'json' | 'html' | 'empty';
      headers?: Record<string, string>;
    })
  /** The connection is reset. */
  | (FaultTiming & { kind: 'reset' })
  /** Half of the answer, then the connection closes. */
  | (FaultTiming & { kind: 'truncated' })
  /** 200 with this body. */
  | (FaultTiming & { kind: 'body'; body: string })
  /** 200 with a JSON object of at least this size. @default bytes 5 MiB */
  | (FaultTiming & { kind: 'huge'; bytes?: number })
  /** A redirect to another URL. @default status 302 */
  | (FaultTiming & { kind: 'redirect'; location: string; status?: 301 | 302 | 303 | 307 | 308 });

/** A fault: which calls it affects, and what it does to them. */
export type Fault = FaultMatch & FaultEffect;
export type FaultKind = FaultEffect['kind'];

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
