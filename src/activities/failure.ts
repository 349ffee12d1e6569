import { activityInfo, Context, log } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { FAILURES, type FailureType } from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { ExecutiveRefusedError, IncodeError, type IncodeErrorKind } from '../incode/index.js';
import { emit, type Observe } from './observe.js';
import { reportTokenMismatch, TokenMismatchError } from './token-fit.js';
import type { FailureDetails } from './types.js';

/** What happens after each kind of Incode error. `end` fails the activity permanently, and the workflow decides how to continue. */
const DISPOSITION: Record<IncodeErrorKind, { type: FailureType; next: 'end' | 'retry' | 'waitForOperator' }> = {
  badRequest: { type: FAILURES.badRequest, next: 'end' },
  unknownSession: { type: FAILURES.unknownSession, next: 'end' },
  methodNotAllowed: { type: FAILURES.methodNotAllowed, next: 'end' },
  notAcceptable: { type: FAILURES.notAcceptable, next: 'end' },
  // The session continues: its workflow waits for another token and calls again.
  tokenRefused: { type: FAILURES.tokenRefused, next: 'end' },
  apiKeyRefused: { type: FAILURES.apiKeyRefused, next: 'waitForOperator' },
  misconfigured: { type: FAILURES.misconfigured, next: 'waitForOperator' },
  notTaken: { type: FAILURES.notTaken, next: 'retry' },
  resultUnknown: { type: FAILURES.resultUnknown, next: 'retry' },
  maybeRunning: { type: FAILURES.maybeRunning, next: 'retry' },
};

export interface FailureContext {
  interviewId: string;
  /** Named instead of the session while there is none. */
  reference?: string;
  operatorRetryMs: number;
  /** Receives the events that need an operator. */
  observe?: Observe | undefined;
  /** Minimum delay before a retry that needs no operator, in milliseconds. @default 0: the retry policy decides */
  leastDelayMs?: number;
  /** What the caller needs to know to continue after the failure. */
  sent?: Pick<FailureDetails, 'lastSentAt' | 'accepted'>;
}

/**
 * Converts an Incode error into a failure of Temporal. Returns every other error unchanged.
 *
 * @returns the error that the activity must throw
 */
export function activityFailure(error: unknown, context: FailureContext): unknown {
  if (error instanceof TokenMismatchError) return tokenMismatch(error, context);
  if (!(error instanceof IncodeError)) return error;
  if (cancelledByCaller()) {
    return new CancelledFailure(`${subjectOf(context)}: ${error.operation} was cancelled`);
  }
  const { type, next } = DISPOSITION[error.kind];
  const { operatorRetryMs, leastDelayMs = 0, observe } = context;
  if (next === 'waitForOperator') warnOperator(error, observe);
  // Ignores Retry-After and the interval of polls, so that every call continues soon after the operator's correction.
  const delay = next === 'waitForOperator' ? operatorRetryMs : Math.max(error.retryAfterMs ?? 0, leastDelayMs);
  return ApplicationFailure.create({
    type,
    message: `${subjectOf(context)}: ${error.message}`,
    nonRetryable: next === 'end',
    details: [details(error, context)],
    // 0 leaves the delay to the retry policy.
    ...(delay > 0 ? { nextRetryDelay: delay } : {}),
  });
}

/** Whether Incode refused permanently, so that a retry cannot succeed. */
export function isFinal(kind: IncodeErrorKind): boolean {
  return DISPOSITION[kind].next === 'end';
}

/** Whether an operator must correct the API key, the base URL or the proxy. */
export function needsOperator(kind: IncodeErrorKind): boolean {
  return DISPOSITION[kind].next === 'waitForOperator';
}

export function failureTypeOf(kind: IncodeErrorKind): FailureType {
  return DISPOSITION[kind].type;
}

/** Waiting is normal: BENIGN keeps this failure out of error metrics and warning logs. */
export function notYet(
  type: FailureType,
  interviewId: string,
  what: string,
  nextRetryDelayMs: number,
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message: `Session ${interviewId}: ${what}`,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: Math.max(1, nextRetryDelayMs),
  });
}

/**
 * A worker that shuts down also cancels its activities. Their sessions must still be completed, so such an attempt must fail with a
 * retryable error instead of reporting a cancellation.
 */
export function cancelledByCaller(): boolean {
  const { cancellationSignal, cancellationDetails } = Context.current();
  return cancellationSignal.aborted && cancellationDetails?.workerShutdown !== true;
}

function subjectOf({ interviewId, reference }: FailureContext): string {
  return reference === undefined ? `Session ${interviewId}` : `Person ${reference}`;
}

function tokenMismatch(error: TokenMismatchError, { interviewId, sent, observe }: FailureContext): ApplicationFailure {
  reportTokenMismatch(observe, interviewId);
  const details: FailureDetails = { interviewId, operation: 'onboardingStatus', ...sent };
  return ApplicationFailure.nonRetryable(error.message, FAILURES.tokenMismatch, details);
}

function details(error: IncodeError, { interviewId, reference, sent }: FailureContext): FailureDetails {
  return {
    interviewId,
    ...omitUndefined({ reference }),
    operation: error.operation,
    ...omitUndefined({ httpStatus: error.httpStatus, code: error.code }),
    ...sent,
  };
}

/** Logs an error, because every session waits until an operator acts. The SDK logs only a warning for the attempt. */
export function warnOperator(error: IncodeError, observe: Observe | undefined): void {
  const isExecutive = error instanceof ExecutiveRefusedError;
  if (isExecutive) emit(observe, { type: 'executiveRefused' });
  log.error(
    isExecutive
      ? 'Incode refuses the executive user: correct INCODE_EXECUTIVE_EMAIL and the password, or the token, in the files that the configuration names. No session is lost meanwhile.'
      : error.kind === 'apiKeyRefused'
        ? 'Incode refuses the API key: correct the file that INCODE_API_KEY_FILE names, or set INCODE_API_KEY and restart the worker. No session is lost meanwhile.'
        : 'Incode is not where INCODE_BASE_URL or the proxy says: correct it and restart the worker. No session is lost meanwhile.',
    { operation: error.operation, httpStatus: error.httpStatus, attempt: activityInfo().attempt },
  );
}
