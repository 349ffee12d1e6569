/** The calls of {@link IncodeClient}, by the names of its methods. */
export type IncodeOperation =
  | 'finishStatus'
  | 'onboardingStatus'
  | 'isFinished'
  | 'score'
  | 'closeSession'
  | 'start'
  | 'logIn';

/**
 * What a failed call says about the request:
 * - `badRequest`, `unknownSession`, `methodNotAllowed`, `notAcceptable`: refused for good;
 * - `tokenRefused`, `apiKeyRefused`, `misconfigured`: refused until somebody mends the token, the key, or URL and proxy;
 * - `notTaken`: not sent, or not taken on; may be repeated;
 * - `resultUnknown`: over, but its answer is unusable;
 * - `maybeRunning`: Incode may still be working on it.
 */
export type IncodeErrorKind =
  | 'badRequest'
  | 'unknownSession'
  | 'methodNotAllowed'
  | 'notAcceptable'
  | 'tokenRefused'
  | 'apiKeyRefused'
  | 'misconfigured'
  | 'notTaken'
  | 'resultUnknown'
  | 'maybeRunning';

export interface IncodeErrorFacts {
  kind: IncodeErrorKind;
  operation: IncodeOperation;
  /** What happened, without any secret: "answered 503", "could not be reached (ECONNREFUSED)". */
  what: string;
  httpStatus?: number | undefined;
  code?: number | string | undefined;
  retryAfterMs?: number | undefined;
  answeredAt?: Date | undefined;
  /** What to do, for people. @default what the kind says */
  consequence?: string;
}

/**
 * Thrown by every call of the client that did not succeed. Carries facts only: no response, no body, no URL and no
 * low-level cause, because tokens and keys travel in those.
 */
export class IncodeError extends Error {
  override readonly name = 'IncodeError';
  readonly kind: IncodeErrorKind;
  readonly operation: IncodeOperation;
  /** `undefined` if no answer came. */
  readonly httpStatus: number | undefined;
  /** Incode's own code, where its error body has one that is not the HTTP status. */
  readonly code: number | string | undefined;
  /** When Incode wants to be asked again, if it said so, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** When Incode answered by its own clock, to the second, if it said so. */
  readonly answeredAt: Date | undefined;

  constructor(facts: IncodeErrorFacts) {
    const {
      kind,
      operation,
      what,
      httpStatus,
      code,
      retryAfterMs,
      answeredAt,
      consequence = CONSEQUENCE[kind],
    } = facts;
    const incodeCode = code === undefined ? '' : ` with code ${code}`;
    super(`${operation}: Incode ${what}${incodeCode}. ${consequence}`);
    this.kind = kind;
    this.operation = operation;
    this.httpStatus = httpStatus;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.answeredAt = answeredAt;
  }
}

const CONSEQUENCE: Record<IncodeErrorKind, string> = {
  badRequest: 'It refuses this request for good: check the session and its flow.',
  unknownSession: 'It does not know this session: check the interview id and the environment.',
  methodNotAllowed: 'It refuses this request for good: check the base URL.',
  notAcceptable: 'It refuses this request for good.',
  tokenRefused: 'The session token is wrong or has expired: hand in a fresh one.',
  apiKeyRefused: 'The API key is not accepted: correct it.',
  misconfigured: 'Check the base URL and the proxy.',
  notTaken: 'The request was not taken on, and may be repeated.',
  resultUnknown: 'The request is over, but its result is not known: check the status before repeating it.',
  maybeRunning: 'The request may still be running there: check the status later, before repeating it.',
};

/** Incode refuses the executive user or its token: only the operator can correct it. */
export class ExecutiveRefusedError extends IncodeError {
  constructor(what: string, httpStatus?: number) {
    const consequence = 'Correct the e-mail and password, or the token, of the executive user.';
    super({ kind: 'misconfigured', operation: 'logIn', what, httpStatus, consequence });
  }
}
