/**
 * What a request can come to, and the HTTP status that says so. Incode takes 200 with JSON (or 204) for received and sends
 * everything else again, for about half an hour; so only what must not or need not come again is answered 200.
 */
export const HTTP_STATUS = {
  /** `notify` took it. */
  delivered: 200,
  /** `notify` does not know the session: it belongs to somebody else, and would never be known. */
  ended: 200,
  unknownSession: 200,
  /** A session webhook that carries no onboarding status. */
  ignored: 200,
  /** The token endpoint gave a token. */
  tokenIssued: 200,
  /** The body is not what it must be. */
  malformed: 400,
  /** No credential, or a wrong or expired one. */
  unauthenticated: 401,
  wrongMethod: 405,
  /** The body did not arrive in time, or was cut off. */
  incomplete: 408,
  tooLarge: 413,
  wrongContentType: 415,
  /** For this session more was handed on within ten minutes than Incode has to tell. */
  tooMany: 429,
  /** The receiver is mounted behind something that reads bodies; see `docs/webhooks.md`. */
  alreadyRead: 500,
  /** A mistake in this package. */
  failed: 500,
  /** `notify` rejected, or took too long. */
  unavailable: 503,
} as const;

export type WebhookResult = keyof typeof HTTP_STATUS;

/** How many requests came to each result since the receiver was made. */
export type WebhookCounts = Readonly<Record<WebhookResult, number>>;

/** What the `log` hook gets: no secret, no token, and of a person nothing but Incode's id of the session. */
export interface WebhookEvent extends Partial<EventFacts> {
  endpoint: 'delivery' | 'token';
  result: WebhookResult;
  httpStatus: number;
  durationMs: number;
}

export interface EventFacts {
  interviewId: string;
  onboardingStatus: string;
  /** Of a session webhook that was ignored, such as `"Session Started"`. */
  eventType: string;
  /**
   * The option that let the request in, such as `header.secrets[1]` or `oauth.clients[0]`: once the old secret is not
   * seen any more, it can be removed.
   */
  credential: string;
  /** Why it was refused, in a sentence. */
  reason: string;
  /** What `notify` rejected with. It comes from the host, and may say more than the rest of an event. */
  error: unknown;
}

/** A request's end, before it is written. */
export interface Outcome {
  result: WebhookResult;
  body: Record<string, unknown>;
  headers?: Record<string, string>;
  facts?: Partial<EventFacts>;
}

/** Why a request is refused. Its message goes to the sender, so it never repeats what was sent. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly result: WebhookResult;
  /** The part of the request that is wrong, such as `onboardingStatus` or `Content-Type`. */
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

/** Counts results and tells the log, which must not be able to make a delivery fail. */
export class Tally {
  private readonly numbers = Object.fromEntries(Object.keys(HTTP_STATUS).map((result) => [result, 0])) as Record<
    WebhookResult,
    number
  >;
  private readonly log: ((event: WebhookEvent) => void) | undefined;

  constructor(log: ((event: WebhookEvent) => void) | undefined) {
    this.log = log;
  }

  get counts(): WebhookCounts {
    return { ...this.numbers };
  }

  record(endpoint: WebhookEvent['endpoint'], { result, facts }: Outcome, startedAt: number): void {
    this.numbers[result] += 1;
    const durationMs = Math.round(performance.now() - startedAt);
    try {
      this.log?.({ endpoint, result, httpStatus: HTTP_STATUS[result], durationMs, ...facts });
    } catch {
      // The host's log is broken; the delivery is not.
    }
  }
}
