/** The calls of `IncodeClient` and `CaptureClient`, named like their methods. */
export type IncodeOperation =
  | 'finishStatus'
  | 'onboardingStatus'
  | 'score'
  | 'closeSession'
  | 'start'
  | 'logIn'
  | 'addFrontId'
  | 'addBackId'
  | 'processId'
  | 'isFinished'
  | 'addFace'
  | 'processFace'
  | 'governmentValidation'
  | 'watchlist'
  | 'ocrData'
  | 'deleteImages'
  | 'deleteSession';

/**
 * What a failed call tells you about its request:
 * - `badRequest`, `unknownSession`, `methodNotAllowed`, `notAcceptable`: Incode refuses it permanently.
 * - `tokenRefused`, `apiKeyRefused`, `misconfigured`: Incode refuses it until someone fixes the token, the API key, or the URL and proxy.
 * - `notTaken`: it was not sent or not accepted, so you can retry it.
 * - `resultUnknown`: it is over, but its answer is unusable.
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
  /** What Incode did, without any secret: "answered 503", "could not be reached (ECONNREFUSED)". */
  what: string;
  httpStatus?: number | undefined;
  code?: number | string | undefined;
  retryAfterMs?: number | undefined;
  answeredAt?: Date | undefined;
  /** The last sentence of the message, which says what to do. @default the sentence of the kind */
  consequence?: string;
}

/**
 * The only error that a call of the client throws. It has no response, body, URL or cause, because those may contain tokens and keys.
 *
 * @example
 * try {
 *   await incode.score(session);
 * } catch (error) {
 *   if (error instanceof IncodeError && error.kind === 'notTaken') retryIn(error.retryAfterMs ?? 1_000);
 *   else throw error;
 * }
 */
export class IncodeError extends Error {
  override readonly name = 'IncodeError';
  /** What the failure means. Decide by this field. */
  readonly kind: IncodeErrorKind;
  /** The call that failed. */
  readonly operation: IncodeOperation;
  /** `undefined` if there was no answer. */
  readonly httpStatus: number | undefined;
  /** Incode's own code, if its error body has one that differs from the HTTP status. */
  readonly code: number | string | undefined;
  /** How long Incode asks you to wait before a retry, in milliseconds; `undefined` if it does not say. */
  readonly retryAfterMs: number | undefined;
  /** When Incode answered, by its own clock, to the second; `undefined` if it does not say. */
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

/** Incode refuses the executive user or its token. Only an operator can fix it. */
export class ExecutiveRefusedError extends IncodeError {
  constructor(what: string, httpStatus?: number) {
    const consequence = 'Correct the e-mail and password, or the token, of the executive user.';
    super({ kind: 'misconfigured', operation: 'logIn', what, httpStatus, consequence });
  }
}
