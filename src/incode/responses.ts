import type { FinishAnswer } from '../contract/index.js';
import { correctOnboardingStatus } from '../contract/milestones.js';
import type { IncodeErrorKind } from './errors.js';
import type { Answered } from './exchange.js';
import { cut, fitting, MAX_BYTES, readRedirection } from './limits.js';
import { isSendable } from './options.js';

/** Incode's answer to finish-status. */
export interface FinishStatusResponse extends Pick<FinishAnswer, 'redirectionUrl' | 'redirectionUnsafe'> {
  /** `approved`, `rejected`, `none` (no automatic decision) or a value that this version does not know. */
  action: string;
  /** Only newer versions of Incode send it. */
  scoreStatus: string | null;
}

/** Incode's overall score. */
export interface ScoreResponse {
  /** OK, WARN, FAIL, MANUAL…, UNKNOWN or a value that this version does not know. UNKNOWN and `null` mean: not ready yet. */
  status: string | null;
  /** A string such as `"94.6"`. */
  value: string | null;
}

/** Answer of `start`. */
export interface StartResponse {
  /** The session token. */
  token: string;
  /** Incode's id of the session. */
  interviewId: string;
  /** Whether the session existed before. */
  existingSession: boolean;
}

/** A JSON object of an answer. */
export type Fields = Record<string, unknown>;

/**
 * Reads a body as a JSON object that is not an error. All fields of Incode's successful answers are optional, so an error body would
 * otherwise look like an empty success.
 *
 * @returns `undefined` for anything else
 */
export function readObject(body: string): Fields | undefined {
  const fields = readResult(body);
  return fields === undefined || saysFailed(fields) ? undefined : fields;
}

/** As {@link readObject}, for calls that report in their answer that they have failed. */
export function readResult(body: string): Fields | undefined {
  const value = parse(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return isErrorBody(value as Fields) ? undefined : (value as Fields);
}

/** An answer that is not a success. */
export interface ErrorAnswer {
  kind: IncodeErrorKind;
  httpStatus: number;
  /** Incode's own code. */
  code: number | string | undefined;
  /** May be about a person, so it is compared and never kept. */
  message: string | null;
}

export function errorAnswer({ status, body }: Answered, kind: IncodeErrorKind = 'resultUnknown'): ErrorAnswer {
  const message = text((parse(body) as Fields | null | undefined)?.message);
  return { kind, httpStatus: status, code: errorCode(body, status), message };
}

/** Incode's own code in an error body: `status`, if it differs from the HTTP status. */
export function errorCode(body: string, httpStatus: number): number | string | undefined {
  const status = (parse(body) as Fields | null | undefined)?.status;
  if (typeof status === 'number' && Number.isSafeInteger(status) && status !== httpStatus) return status;
  // Only a short word: longer text may be about a person.
  if (typeof status === 'string' && /^[A-Z0-9_]{1,40}$/i.test(status) && status !== String(httpStatus)) return status;
  return undefined;
}

// Each reader returns `undefined` if a required field is missing.

export function readFinishStatus(fields: Fields): FinishStatusResponse | undefined {
  const action = text(fields.action);
  // Without an action the answer does not prove that the session is finished. Its status will.
  if (action === null) return undefined;
  return {
    action: cut(action, MAX_BYTES.action),
    ...readRedirection(text(fields.redirectionUrl)),
    scoreStatus: scoreStatus(fields.scoreStatus),
  };
}

export function readOnboardingStatus(fields: Fields): { onboardingStatus: string } | undefined {
  const status = correctOnboardingStatus(text(fields.onboardingStatus) ?? '');
  return status === '' ? undefined : { onboardingStatus: cut(status, MAX_BYTES.onboardingStatus) };
}

export function readScore({ overall }: Fields): ScoreResponse {
  const { status, value } = (typeof overall === 'object' && overall !== null ? overall : {}) as Fields;
  const number = typeof value === 'number' ? String(value) : text(value);
  return { status: scoreStatus(status), value: fitting(number, MAX_BYTES.scoreValue) };
}

function scoreStatus(value: unknown): string | null {
  return text(cut(text(value)?.trim().toUpperCase() ?? '', MAX_BYTES.scoreStatus));
}

export function readCloseSession({ sessionStatus }: Fields): { sessionStatus: string } | undefined {
  const status = text(sessionStatus);
  return status?.trim().toLowerCase() === 'closed'
    ? { sessionStatus: cut(status, MAX_BYTES.sessionStatus) }
    : undefined;
}

export function readLogIn({ token }: Fields): { token: string } | undefined {
  return isSendable(token) ? { token } : undefined;
}

export function readStart({ token, interviewId, existingSession }: Fields): StartResponse | undefined {
  if (text(token) === null || text(interviewId) === null) return undefined;
  return { token: String(token), interviewId: String(interviewId), existingSession: existingSession === true };
}

function parse(body: string): unknown {
  try {
    // JSON has no byte order mark, but some gateways send one.
    return JSON.parse(body.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** Some failures have the HTTP status 200. */
function saysFailed({ success, failReason }: Fields): boolean {
  return success === false || (failReason ?? undefined) !== undefined;
}

/** Incode's error body `{timestamp, status, error, message?, path?}`, of which a gateway may drop fields. */
function isErrorBody({ error, status, timestamp, message, path }: Fields): boolean {
  if (error !== undefined && error !== null) return true;
  return status !== undefined && (timestamp ?? message ?? path ?? undefined) !== undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
