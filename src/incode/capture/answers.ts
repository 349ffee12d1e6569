import { checkInterviewId, checkSessionToken } from '../../contract/index.js';
import { type ErrorAnswer, type Fields, readStart, type StartResponse } from '../responses.js';
import { imageCode, isAlreadyProcessed } from './refusals.js';

// No answer of a call that an activity makes keeps a value that Incode has read from an image, such as a name. Temporal would keep it for days.

/** Incode's answer about an uploaded image. */
export interface ImageAnswer {
  /**
   * - `refused`: Incode cannot use the image, or says that a selfie does not show a living person.
   * - `doubtful`: Incode uses the image, but its own apps would ask for another one.
   */
  assessment: 'accepted' | 'doubtful' | 'refused';
  /** Such as `DOCUMENT_NOT_READABLE`. `UNRECOGNIZED` if Incode's reason is not a single word. */
  failReason: string | null;
  /** Incode's code, such as 4019, if it refused the image with an error. */
  code: number | null;
  /** The checks that the image fails. */
  failedChecks: ImageCheck[];
}

/** Checks for which Incode's own apps ask for another image. */
export type ImageCheck =
  | 'classification'
  | 'readability'
  | 'sharpness'
  | 'glare'
  | 'quality'
  | 'liveness'
  | 'brightness'
  | 'lenses'
  | 'faceMask'
  | 'headCover';

/** Incode's answer about a side of an ID. */
export interface IdImageAnswer extends ImageAnswer {
  /** Such as `Passport`. */
  typeOfId: string | null;
  /** The document has no back, so none is uploaded. */
  hasNoBack: boolean;
  isDocumentExpired: boolean | null;
}

/** Incode's answer about a selfie. */
export interface SelfieAnswer extends ImageAnswer {
  /** 0 for a living person, 1 for a spoof. */
  confidence: number | null;
}

/** Answer of `process/id`. */
export interface ProcessIdAnswer {
  /**
   * - `started`: Incode processes the ID. Ask `isFinished`.
   * - `alreadyProcessed`: an earlier request started it, or Incode says so. Ask `isFinished` before you rely on it.
   * - `failed`: the ID cannot be processed without other images.
   */
  result: 'started' | 'alreadyProcessed' | 'failed';
  /** Incode's code, if it answered with an error. */
  code: number | null;
}

/** Answer of `process/face`. */
export interface FaceMatchAnswer {
  /** 1 if selfie and ID show the same person. */
  confidence: number | null;
  /** Whether an approved person has this face. */
  existingUser: boolean | null;
  nameMatched: boolean | null;
  /** Incode's code, if it answered with an error. */
  code: number | null;
}

/** Answer of the government validation. */
export interface GovernmentAnswer {
  valid: boolean | null;
  /** 0 unless the validation failed. */
  statusCode: number | null;
}

/** Answer of the watchlist search. */
export interface WatchlistAnswer {
  /** `null` if Incode does not say. */
  hits: number | null;
}

/** Like `readStart`, but accepts only an id and a token that every later call can use. */
export function readOpened(fields: Fields): StartResponse | undefined {
  const started = readStart(fields);
  try {
    return started && { ...started, ...checkedAccess(started) };
  } catch {
    return undefined;
  }
}

function checkedAccess({ interviewId, token }: StartResponse): Pick<StartResponse, 'interviewId' | 'token'> {
  return { interviewId: checkInterviewId(interviewId), token: checkSessionToken(token) };
}

export function readIdImage(fields: Fields): IdImageAnswer {
  const { classification, readability, correctSharpness, correctGlare, idQualityAttemptApproved } = fields;
  const typeOfId = word(fields.typeOfId);
  return {
    ...assessed(fields, {
      classification: classification === false,
      readability: readability === false,
      sharpness: correctSharpness === false,
      glare: correctGlare === false,
      quality: idQualityAttemptApproved === false,
    }),
    typeOfId,
    hasNoBack: fields.skipBackIdCapture === true || typeOfId?.toLowerCase() === 'passport',
    isDocumentExpired: flag(fields.isDocumentExpired),
  };
}

export function refusedIdImage(answer: ErrorAnswer): IdImageAnswer | undefined {
  const refused = refusedImage(answer);
  return refused && { ...refused, typeOfId: null, hasNoBack: false, isDocumentExpired: null };
}

export function readSelfie(fields: Fields): SelfieAnswer {
  const confidence = number(fields.confidence);
  const answer = assessed(fields, {
    liveness: confidence !== null && confidence !== 0,
    // Clients in production have seen that the confidence is missing if a selfie is too dark.
    brightness: fields.isBright === false || confidence === null,
    lenses: fields.hasLenses === true,
    faceMask: fields.hasFaceMask === true,
    headCover: fields.hasHeadCover === true,
  });
  return { ...answer, ...(answer.failedChecks.includes('liveness') ? REFUSED : {}), confidence };
}

export function refusedSelfie(answer: ErrorAnswer): SelfieAnswer | undefined {
  const refused = refusedImage(answer);
  return refused && { ...refused, confidence: null };
}

export function readProcessId({ success, failReason, message }: Fields): ProcessIdAnswer {
  if (isAlreadyProcessed({ message: text(message) })) return { result: 'alreadyProcessed', code: null };
  return { result: success === false || reasonOf(failReason) !== null ? 'failed' : 'started', code: null };
}

export function refusedProcessId(answer: ErrorAnswer): ProcessIdAnswer | undefined {
  if (isAlreadyProcessed(answer)) return { result: 'alreadyProcessed', code: null };
  const code = imageCode(answer);
  return code === undefined ? undefined : { result: 'failed', code };
}

/** Accepts only a boolean. */
export function readIsFinished({ finished }: Fields): { finished: boolean } | undefined {
  return typeof finished === 'boolean' ? { finished } : undefined;
}

export function readFaceMatch({ confidence, existingUser, nameMatched }: Fields): FaceMatchAnswer {
  return {
    confidence: number(confidence),
    existingUser: flag(existingUser),
    nameMatched: flag(nameMatched),
    code: null,
  };
}

export function refusedFaceMatch(answer: ErrorAnswer): FaceMatchAnswer | undefined {
  const code = imageCode(answer);
  return code === undefined ? undefined : { confidence: null, existingUser: null, nameMatched: null, code };
}

export function readGovernment({ valid, statusCode }: Fields): GovernmentAnswer {
  return { valid: flag(valid), statusCode: number(statusCode) };
}

/** The hits themselves are about persons, so only their number is kept. It is `null` if the answer has another form. */
export function readWatchlist({ content }: Fields): WatchlistAnswer {
  const { data } = objectOf(content);
  const { hits } = objectOf(data);
  return { hits: Array.isArray(hits) ? hits.length : null };
}

/** Incode may answer a deletion without content. */
export function parseDeleted(body: string, parse: (body: string) => Fields | undefined): Fields | undefined {
  return body.trim() === '' ? {} : parse(body);
}

/** @returns `existed: false` if Incode does not know the session, perhaps because it is already deleted */
export function refusedDelete({ kind, httpStatus }: ErrorAnswer): { existed: boolean } | undefined {
  if (httpStatus === 204) return { existed: true };
  return kind === 'unknownSession' ? { existed: false } : undefined;
}

const REFUSED = { assessment: 'refused' } as const;

function assessed({ success, failReason: reason }: Fields, checks: Partial<Record<ImageCheck, boolean>>): ImageAnswer {
  const failReason = reasonOf(reason) ?? (success === false ? UNRECOGNIZED : null);
  const failedChecks = (Object.keys(checks) as ImageCheck[]).filter((check) => checks[check]);
  const assessment = failReason !== null ? 'refused' : failedChecks.length > 0 ? 'doubtful' : 'accepted';
  return { assessment, failReason, code: null, failedChecks };
}

function refusedImage(answer: ErrorAnswer): ImageAnswer | undefined {
  const code = imageCode(answer);
  return code === undefined ? undefined : { ...REFUSED, failReason: null, code, failedChecks: [] };
}

const UNRECOGNIZED = 'UNRECOGNIZED';

function reasonOf(value: unknown): string | null {
  const isNone = value === undefined || value === null || value === false || value === '';
  return isNone ? null : (word(value) ?? UNRECOGNIZED);
}

/** Incode's longest word has 26 characters. A longer text, or several words, could be about a person. */
const WORD = /^\w{1,64}$/;

function word(value: unknown): string | null {
  const trimmed = text(value)?.trim();
  return trimmed !== undefined && WORD.test(trimmed) ? trimmed : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** Incode's numbers are sometimes strings. */
function number(value: unknown): number | null {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value));
  return isNumber && Number.isFinite(Number(value)) ? Number(value) : null;
}

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
