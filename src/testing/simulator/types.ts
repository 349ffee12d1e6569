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
  | 'approve';

export interface SimulatorOptions {
  /** Port on 127.0.0.1; 0 takes a free one. @default 0 */
  port?: number;
  /** What is accepted as `x-api-key`. @default ["simulator"] */
  apiKeys?: string[];
  /**
   * Factor for Incode's own times: processing, its limit of 30 s a request, the webhook's retry schedule.
   *
   * @default 1
   */
  timeScale?: number;
  /** @default none */
  rateLimit?: RateLimit;
  /** Where status webhooks go. @default nowhere */
  webhook?: WebhookTarget;
  /** What every answer takes, in milliseconds. @default 0 */
  latencyMs?: number;
  /** Keeps the sessions in this file. @default in memory only */
  dataFile?: string;
}

/** A token bucket for finish-status, status and score together. Incode's is said to be 100 with a burst of 50. */
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

/** What becomes of a session. */
export interface SessionSpec {
  /** @default a new one of 24 hexadecimal digits */
  interviewId?: string;
  /** What the business rules say. @default "approved" */
  action?: string;
  /** What the score is once it is ready. @default status OK, value "94.6" */
  score?: { status: string; value: string };
  /** How long after finish-status the score is UNKNOWN, in milliseconds, not scaled. @default 0 */
  scoreReadyAfterMs?: number;
  /** @default "" */
  redirectionUrl?: string;
  /** @default "UNKNOWN" */
  onboardingStatus?: string;
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
  effects: Effects;
}

export interface Call {
  /** Milliseconds since the epoch. */
  at: number;
  operation: SimulatedOperation;
  interviewId: string | null;
  /** `null` if no answer was given. */
  httpStatus: number | null;
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

/** `effect` says whether the call takes effect at Incode although its caller does not get the answer. */
export type FaultEffect =
  /** The call takes effect after `ms`, also if the caller has gone, and is answered then. */
  | { kind: 'latency'; ms: number }
  /** No answer until Incode ends the request. @default effect false */
  | { kind: 'hang'; effect?: boolean }
  /** Another status, with Incode's error body, a gateway's HTML, or nothing. @default body "json", effect false */
  | {
      kind: 'status';
      status: number;
      body?: 'json' | 'html' | 'empty';
      headers?: Record<string, string>;
      effect?: boolean;
    }
  /** The connection is reset. @default effect false */
  | { kind: 'reset'; effect?: boolean }
  /** Half of the answer, then the end of the connection. @default effect true */
  | { kind: 'truncated'; effect?: boolean }
  /** 200 with this body. @default effect true */
  | { kind: 'body'; body: string; effect?: boolean }
  /** 200 with a JSON object of this size. @default 5 MiB, effect true */
  | { kind: 'huge'; bytes?: number; effect?: boolean }
  /** 302 to another place. */
  | { kind: 'redirect'; location: string };

export type Fault = FaultMatch & FaultEffect;
export type FaultKind = FaultEffect['kind'];

/** One attempt to deliver a webhook. */
export interface Delivery {
  at: number;
  interviewId: string;
  onboardingStatus: string;
  attempt: number;
  /** `null` if no answer came. */
  httpStatus: number | null;
}
