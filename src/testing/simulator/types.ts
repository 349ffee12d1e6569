import type { SimulatorBehavior } from './behavior.js';

/** Incode's calls, by the names that the simulator's log and faults use. */
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
  /** Port on 127.0.0.1; 0 takes a free one. @default 0 */
  port?: number;
  /** What is accepted as `x-api-key`. @default ["simulator"] */
  apiKeys?: string[];
  /**
   * Factor for Incode's own times: processing, its limit of 30 s a request, the webhooks' retry schedule. Above 0; it
   * does not make the clock run faster.
   *
   * @default 1
   */
  timeScale?: number;
  /** @default null: no limit */
  rateLimit?: RateLimit | null;
  /** Where status webhooks go: one at each milestone. @default null: nowhere */
  webhook?: WebhookTarget | null;
  /** Where session webhooks go: one at each `SessionEvent`. @default null: nowhere */
  sessionWebhook?: SessionWebhookTarget | null;
  /** What every answer takes, in milliseconds, not scaled. @default 0 */
  latencyMs?: number;
  /** What it does where the real Incode's behavior is not known. @default the defaults of `SimulatorBehavior` */
  behavior?: Partial<SimulatorBehavior>;
  /** Keeps the sessions in this file. @default in memory only */
  dataFile?: string;
}

/** A token bucket, shared by all clients, for finish-status, status and score together. Incode's is said to be 100 with a burst of 50. */
export interface RateLimit {
  perSecond: number;
  burst: number;
  /** Whether 429 says in `Retry-After` when to come again; it is not known whether Incode does. @default true */
  retryAfter?: boolean;
}

export interface WebhookTarget {
  url: string;
  /** Sent with every delivery, as set on Incode's dashboard. */
  headers?: Record<string, string>;
  /** OAuth2 client credentials: a bearer token is fetched from `tokenUrl` with HTTP Basic. */
  oauth?: { tokenUrl: string; clientId: string; clientSecret: string };
}

/** Its names differ between environments and versions of Incode. */
export interface SessionWebhookTarget extends WebhookTarget {
  /** The field that names the event. @default "event_type" */
  eventField?: 'event_type' | 'eventType';
  /** Whether events are named like constants or in words: "SESSION_SUCCEEDED" or "Session Succeeded". @default "constants" */
  eventNames?: 'constants' | 'words';
}

/** What the session webhook tells. That a session expired is not among it. */
export type SessionEvent =
  | 'SESSION_STARTED'
  /** It was opened again. */
  | 'SESSION_PROGRESS'
  | 'SESSION_SUCCEEDED'
  | 'SESSION_FAILED'
  | 'SESSION_PENDING_REVIEW'
  /** It was approved for the first time. */
  | 'IDENTITY_ENROLLED';

/** What becomes of a session. */
export interface SessionSpec {
  /** @default a new one of 24 hexadecimal digits */
  interviewId?: string;
  /** What the business rules say. @default "approved" */
  action?: string;
  /** What the score is once it is ready. @default status OK, value "94.6" */
  score?: { status: string; value: string };
  /**
   * How long after finish-status the score is UNKNOWN, in milliseconds, not scaled; `Infinity`, or `null` in JSON, for
   * ever.
   *
   * @default 0
   */
  scoreReadyAfterMs?: number | null;
  /** @default "" */
  redirectionUrl?: string;
  /** @default "UNKNOWN" */
  onboardingStatus?: string;
  /**
   * How long after opening post-processing is done, in milliseconds, not scaled; `Infinity`, or `null` in JSON, never by
   * itself. It moves the status to POST_PROCESSING_FINISHED. Sessions of `POST /omni/start` have `null`: nothing is
   * processed that was not captured, so that a client that waits never finishes an empty session.
   *
   * @default done from the start, until documents are added
   */
  processedAfterMs?: number | null;
  /**
   * How long after opening the session expires unless it is finished by then, in milliseconds, not scaled. It moves the
   * status to EXPIRED.
   *
   * @default never
   */
  expiresAfterMs?: number | null;
  externalCustomerId?: string;
  flowId?: string;
  /** A person's verdict some time after finish-status, in milliseconds, not scaled. @default none */
  manualReview?: { verdict: 'APPROVED' | 'REJECTED'; afterMs: number };
  /** Of the first token. Negative makes one that has expired. @default 90 days */
  tokenExpiresInMs?: number;
}

export interface OpenedSession {
  interviewId: string;
  token: string;
}

/** How often a call took effect. More than once is what nobody wants. */
export interface Effects {
  finished: number;
  closed: number;
  approved: number;
}

export interface SessionView {
  interviewId: string;
  onboardingStatus: string;
  sessionStatus: 'Alive' | 'Closed';
  /** As `GET /omni/get/score` would tell it now. */
  score: { status: string; value: string | null };
  externalCustomerId: string | null;
  flowId: string | null;
  effects: Effects;
}

export interface Call {
  /** Milliseconds since the epoch, by the simulator's clock. */
  at: number;
  operation: SimulatedOperation;
  interviewId: string | null;
  /** `null` if no answer was given. */
  httpStatus: number | null;
  /** When it took effect, or was answered from what the session was then; `null` if it never did. As `at`. */
  effectAt: number | null;
  /** The kind of the fault that struck, if one did. */
  fault: FaultKind | null;
}

/** Which calls a fault strikes: those that match, after `skip` of them, `times` times. */
export interface FaultMatch {
  operation?: SimulatedOperation;
  interviewId?: string;
  /** @default 1; `Infinity`, or `null` in JSON, until it is cleared */
  times?: number | null;
  /** @default 0 */
  skip?: number;
}

/** Whether and when a call takes effect at Incode although its caller does not get the answer. */
export interface FaultTiming {
  /** @default true for `truncated`, `body` and `huge`, which are answers of Incode; false for the others */
  effect?: boolean;
  /**
   * How long after the request arrived it takes effect, in milliseconds, also if its caller is told something else or
   * has gone by then. Incode ends a request after 30 s (scaled): what would take effect later never does.
   *
   * @default 0: before the fault shows
   */
  effectAfterMs?: number;
}

export type FaultEffect =
  /**
   * The answer comes after `ms`; beyond Incode's limit for a request it is 504. The call takes effect, unless told
   * otherwise after `ms` too, also if the caller has gone.
   */
  | { kind: 'latency'; ms: number; effectAfterMs?: number }
  /** No answer until Incode ends the request by closing the connection. */
  | (FaultTiming & { kind: 'hang' })
  /** Another status, with Incode's error body, a gateway's HTML, or nothing. @default body "json" */
  | (FaultTiming & {
      kind: 'status';
      status: number;
      body?: 'json' | 'html' | 'empty';
      headers?: Record<string, string>;
    })
  /** The connection is reset. */
  | (FaultTiming & { kind: 'reset' })
  /** Half of the answer, then the end of the connection. */
  | (FaultTiming & { kind: 'truncated' })
  /** 200 with this body. */
  | (FaultTiming & { kind: 'body'; body: string })
  /** 200 with a JSON object of at least this size. @default bytes 5 MiB */
  | (FaultTiming & { kind: 'huge'; bytes?: number })
  /** Another place. @default status 302 */
  | (FaultTiming & { kind: 'redirect'; location: string; status?: 301 | 302 | 303 | 307 | 308 });

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
  /** `null` if no answer came. */
  httpStatus: number | null;
  /** Whether the answer was one that Incode takes: 200 with JSON, or 204. */
  accepted: boolean;
  /** Not accepted, and never sent again. */
  lost: boolean;
}
