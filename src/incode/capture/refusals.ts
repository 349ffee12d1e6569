import { IncodeError } from '../errors.js';
import type { ErrorAnswer } from '../responses.js';

/** Incode's codes in error bodies whose meaning is known. Other codes can refuse an image too. */
export const CAPTURE_CODES = {
  blur: 3006,
  glare: 3007,
  /** Too few pixels. */
  imageSize: 3008,
  orientation: 3009,
  compression: 3010,
  /** The picture was taken from a screen or from paper. */
  spoof: 4005,
  faceNotFound: 4019,
  /** The ID cannot be processed. The session needs other images of it. */
  processing: 6000,
} as const;

/** Codes that clients in production treat as a refusal of the image, with any HTTP status. */
const IMAGE_CODES: readonly number[] = [...Object.values(CAPTURE_CODES), ...[1001, 1003, 3002, 3004, 3005, 4010, 4077]];

/** HTTP statuses are below. */
const FIRST_CODE = 1_000;

/**
 * Whether an error answer is about the image, so that it is a result of the call.
 *
 * @returns Incode's code
 */
export function imageCode({ kind, code }: ErrorAnswer): number | undefined {
  const number = Number(code);
  // Incode did not look at the request.
  if (kind === 'notTaken' || kind === 'misconfigured' || !Number.isSafeInteger(number)) return undefined;
  if (IMAGE_CODES.includes(number)) return number;
  // An unknown code of a refused request. With 500 it may be a failure of Incode.
  return kind === 'badRequest' && number >= FIRST_CODE ? number : undefined;
}

/** Incode has no code for this. Clients in production look for these texts. */
const ALREADY_PROCESSED = /id already processed|NumberFormatException: Cannot parse null string/i;

/** Whether `process/id` says that the ID was processed before, perhaps by a request whose answer was lost. */
export function isAlreadyProcessed({ message }: Pick<ErrorAnswer, 'message'>): boolean {
  return ALREADY_PROCESSED.test(message ?? '');
}

/**
 * A gateway answers 408 or 499 when it gives up on a server behind it, which may still handle the request. Finishing counts 408 as not taken,
 * because the status is read before another finish. A session that was opened cannot be read.
 */
const UNCERTAIN_REFUSALS: readonly number[] = [408, 499];

/**
 * A server that redirects with these statuses has not handled the request. With 303 it has: the answer is elsewhere. 304 answers no POST, so
 * nobody knows what it means.
 */
const REDIRECTS: readonly number[] = [301, 302, 307, 308];

/**
 * Whether a failed request may have taken effect at Incode. After such a `start`, another `start` may leave a session behind: Incode has no
 * idempotency key.
 *
 * @returns `false` only if nothing was sent, or Incode refused it
 */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof IncodeError)) return true;
  const { kind, httpStatus } = error;
  // Without a status, these kinds mean that nothing was sent.
  if (httpStatus === undefined) return kind === 'resultUnknown' || kind === 'maybeRunning';
  if (REDIRECTS.includes(httpStatus)) return false;
  // 503 too, for the same reason as 408.
  return httpStatus < 400 || httpStatus >= 500 || UNCERTAIN_REFUSALS.includes(httpStatus);
}
