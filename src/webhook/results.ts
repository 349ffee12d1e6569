/**
 * The results of a request and their HTTP status. Incode accepts 200 with JSON, or 204, and sends everything else again for about half
 * an hour. So the receiver answers 200 to every delivery that need not come again.
 */
export const HTTP_STATUS = {
  /** `notify` accepted the delivery. */
  delivered: 200,
  /** The session has ended, so it ignores the delivery. */
  ended: 200,
  /** `notify` does not know the session, which belongs to another system. */
  unknownSession: 200,
  /** A session webhook without an onboarding status. */
  ignored: 200,
  /** The token endpoint issued a token. */
  tokenIssued: 200,
  /** The body is invalid. */
  malformed: 400,
  /** The credential is missing, wrong or expired. */
  unauthenticated: 401,
  wrongMethod: 405,
  /** The body did not arrive in time, or was cut off. */
  incomplete: 408,
  tooLarge: 413,
  wrongContentType: 415,
  /** The session received more statuses within ten minutes than Incode has. */
  tooMany: 429,
  /** Another handler read the body before the receiver; see `docs/webhooks.md`. */
  alreadyRead: 500,
  /** A bug in this package. */
  failed: 500,
  /** `notify` rejected or timed out. */
  unavailable: 503,
} as const;

export type WebhookResult = keyof typeof HTTP_STATUS;

/** Number of requests by result, since the receiver was created. */
export type WebhookCounts = Readonly<Record<WebhookResult, number>>;

/** Argument of `log`. It has no secret, no token and, about the person, only Incode's id of the session. */
export interface WebhookEvent extends Partial<EventFacts> {
  /** The endpoint that was called. */
  endpoint: 'delivery' | 'token';
  /** What the receiver did with the request. */
  result: WebhookResult;
  /** The HTTP status of the receiver's answer. */
  httpStatus: number;
  /** How long the answer took. */
  durationMs: number;
}

export interface EventFacts {
  interviewId: string;
  onboardingStatus: string;
  /** Event type of an ignored session webhook, such as `"Session Started"`. */
  eventType: string;
  /**
   * The option that authenticated the request, such as `header.secrets[1]` or `oauth.clients[0]`. Remove an old secret once it no
   * longer appears here.
   */
  credential: string;
  /** Why the request was refused, in one sentence. */
  reason: string;
  /** The error of `notify`. It comes from your code and may have more details than the other fields. */
  error: unknown;
}

/** The result of a request, before the answer is written. */
export interface RequestResult {
  result: WebhookResult;
  body: Record<string, unknown>;
  headers?: Record<string, string>;
  facts?: Partial<EventFacts>;
}

/** Refuses a request. The message goes to the sender and never repeats the request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly result: WebhookResult;
  /** The invalid part of the request, such as `onboardingStatus` or `Content-Type`. */
  readonly field: string | undefined;
  readonly headers: Record<string, string>;
  facts: Partial<EventFacts> = {};

  constructor(result: WebhookResult, message: string, field?: string, headers: Record<string, string> = {}) {
    super(message);
    this.result = result;
    this.field = field;
    this.headers = headers;
  }
}

/** Counts results and calls the log. An error of the log does not affect the delivery. */
export class Tally {
  private readonly totals = Object.fromEntries(Object.keys(HTTP_STATUS).map((result) => [result, 0])) as Record<
    WebhookResult,
    number
  >;
  private readonly log: (event: WebhookEvent) => void;

  constructor(log: (event: WebhookEvent) => void = () => undefined) {
    this.log = log;
  }

  get counts(): WebhookCounts {
    return { ...this.totals };
  }

  record(endpoint: WebhookEvent['endpoint'], { result, facts }: RequestResult, startedAt: number): void {
    this.totals[result] += 1;
    const durationMs = Math.round(performance.now() - startedAt);
    try {
      this.log({ endpoint, result, httpStatus: HTTP_STATUS[result], durationMs, ...facts });
    } catch {
      // The log belongs to the host. The delivery was handled.
    }
  }
}
