/**
 * The simulator's behavior where Incode's is not known. The defaults are the hardest case for clients, or what Incode's samples rely on.
 * Clients must handle all other values too.
 */
export interface SimulatorBehavior {
  /**
   * Answer to a read with a session token and `?id=` of another session.
   * - `refused`: 401;
   * - `ignored`: the answer is about the token's session;
   * - `answered`: the answer is about the other session.
   *
   * @default "refused"
   */
  foreignId: 'refused' | 'ignored' | 'answered';
  /** Answer to a read with a session token and without `?id=`: about the token's session, or 400. @default "answered" */
  missingId: 'answered' | 'refused';
  /**
   * Answer to finish-status for a finished session.
   * - `repeated`: it takes effect again;
   * - `idempotent`: the same answer without effect;
   * - `refused`: 400;
   * - `otherAction`: it takes effect again, and the answer has another action.
   *
   * @default "repeated"
   */
  secondFinish: 'repeated' | 'idempotent' | 'refused' | 'otherAction';
  /** Answer to finish-status for a closed session. @default "accepted" */
  closedFinish: 'accepted' | 'refused';
  /** Answer to finish-status for an expired session. @default "refused" */
  expiredFinish: 'accepted' | 'refused';
  /** Answer to finish-status for a session of `POST /omni/start` without any document. @default "accepted" */
  emptyFinish: 'accepted' | 'refused';
  /**
   * Spelling of a status in answers and webhooks.
   * - `misspelled`: `ONBOADING_FINISHED` for `ONBOARDING_FINISHED`;
   * - `newValue`: `ONBOARDING_CONCLUDED` for `ONBOARDING_FINISHED`, which no client knows.
   *
   * @default "documented"
   */
  statusSpelling: 'documented' | 'lowerCase' | 'trailingSpace' | 'misspelled' | 'newValue';
  /** How long reads still return the previous status after a change, in milliseconds, not scaled. @default 0 */
  statusLagMs: number;
  /** How long the score stays UNKNOWN after finish-status, in milliseconds, not scaled. A session's `scoreReadyAfterMs` overrides it. @default 0 */
  scoreLagMs: number;
  /** `redirectionUrl` in every answer of finish-status. @default null: the URL with which the session was opened */
  redirectionUrl: string | null;
  /** Answer to `POST /omni/start` with the `interviewId` of a session: another token for it, a new session, or 400. @default "reissued" */
  knownIdStart: 'reissued' | 'newSession' | 'refused';
  /** Answer to `POST /omni/start` with an unknown `interviewId`: 404, or a new session. @default "refused" */
  unknownIdStart: 'refused' | 'newSession';
  /** Whether another token for a session revokes its earlier tokens. @default "valid" */
  earlierTokens: 'valid' | 'revoked';
  /** Form of tokens: a JWT with the claim `interviewId`, a JWT without it, or no JWT. @default "namesInterview" */
  tokenForm: 'namesInterview' | 'anonymous' | 'opaque';
  /** Answer to `POST /omni/start` with a key of `customFields` that is not in this list. `null` accepts all keys. @default null */
  customFieldKeys: readonly string[] | null;
  /** Incode's limit for a request. It documents 10 MB. @default 10_000_000 */
  maxRequestBytes: number;
  /** Answer to an image with less than 1,000 pixels on both sides: error body with code 3008, `failReason`, or accepted. @default "error" */
  smallImage: 'error' | 'failReason' | 'accepted';
  /** Answer to an upload that is neither JPEG nor PNG. @default "accepted" */
  unknownFormat: 'accepted' | 'refused';
  /** Answer to base64 that begins with `data:`. @default "refused" */
  dataUrl: 'refused' | 'accepted';
  /** Answer to an upload of the bytes themselves, without base64. @default "accepted" */
  binaryUpload: 'accepted' | 'refused';
  /** Answer to a selfie without `imageType`. @default "accepted" */
  selfieWithoutType: 'accepted' | 'refused';
  /** Answer to the back of an ID before its front. @default "refused" */
  backBeforeFront: 'refused' | 'accepted';
  /** Answer to an upload after finish-status. @default "accepted" */
  uploadAfterFinish: 'accepted' | 'refused';
  /** How often each image can be uploaded. `null` sets no limit. @default null */
  maxUploads: number | null;
  /** HTTP status of an error body with a code of Incode, such as 4019. @default 400 */
  imageErrorStatus: 400 | 422 | 500;
  /** Whether `process/id` needs both consents before. @default "optional" */
  consents: 'optional' | 'required';
  /**
   * Answer to `process/id` that was called before, without new uploads.
   * - `refused`: an error body with "Id already processed";
   * - `parseError`: an error body with "NumberFormatException: Cannot parse null string";
   * - `accepted`: it takes effect again.
   *
   * @default "refused"
   */
  secondProcessId: 'refused' | 'parseError' | 'accepted';
  /** HTTP status of that error body. @default 400 */
  secondProcessIdStatus: 400 | 409 | 500;
  /** The new uploads that allow another `process/id`. A document with one side needs only its front. @default "frontAndBack" */
  newUploads: 'frontAndBack' | 'any';
  /** Answer to a second watchlist check. @default "accepted" */
  secondWatchlist: 'accepted' | 'refused';
  /** Score before finish-status: its sections so far with overall UNKNOWN, or also the overall score. @default "sections" */
  earlyScore: 'sections' | 'overall';
  /** What the session search does with its filter. @default "applied" */
  searchFilter: 'applied' | 'ignored' | 'refused';
  /** Answer to deleting a session that does not exist: 404, or as if it had existed. @default "unknown" */
  secondDelete: 'unknown' | 'accepted';
  /**
   * Headers without which a call is refused. `content-type` is needed on every call, GET included, as Incode documents it;
   * `content-type-of-body` only with a body. Clients in production omit it on GET.
   *
   * @default ["x-api-key", "api-version", "content-type-of-body"]
   */
  requiredHeaders: readonly RequiredHeader[];
  /** HTTP status for a wrong or missing API key. @default 403 */
  apiKeyRefusal: 401 | 403;
  /** HTTP status for a wrong or missing session token. @default 401 */
  tokenRefusal: 401 | 403;
  /** Body of a refusal: Incode's JSON, a gateway's HTML, or nothing. @default "json" */
  errorBody: 'json' | 'html' | 'empty';
  /** Whether answers have the header `Date`. @default true */
  dateHeader: boolean;
}

export type RequiredHeader = 'x-api-key' | 'api-version' | 'content-type' | 'content-type-of-body';

export const DEFAULT_BEHAVIOR: SimulatorBehavior = {
  foreignId: 'refused',
  missingId: 'answered',
  secondFinish: 'repeated',
  closedFinish: 'accepted',
  expiredFinish: 'refused',
  emptyFinish: 'accepted',
  statusSpelling: 'documented',
  statusLagMs: 0,
  scoreLagMs: 0,
  redirectionUrl: null,
  knownIdStart: 'reissued',
  unknownIdStart: 'refused',
  earlierTokens: 'valid',
  tokenForm: 'namesInterview',
  customFieldKeys: null,
  maxRequestBytes: 10_000_000,
  smallImage: 'error',
  unknownFormat: 'accepted',
  dataUrl: 'refused',
  binaryUpload: 'accepted',
  selfieWithoutType: 'accepted',
  backBeforeFront: 'refused',
  uploadAfterFinish: 'accepted',
  maxUploads: null,
  imageErrorStatus: 400,
  consents: 'optional',
  secondProcessId: 'refused',
  secondProcessIdStatus: 400,
  newUploads: 'frontAndBack',
  secondWatchlist: 'accepted',
  earlyScore: 'sections',
  searchFilter: 'applied',
  secondDelete: 'unknown',
  requiredHeaders: ['x-api-key', 'api-version', 'content-type-of-body'],
  apiKeyRefusal: 403,
  tokenRefusal: 401,
  errorBody: 'json',
  dateHeader: true,
};

/** @returns a status in the spelling of answers and webhooks */
export function spelled(onboardingStatus: string, { statusSpelling }: SimulatorBehavior): string {
  switch (statusSpelling) {
    case 'documented':
      return onboardingStatus;
    case 'lowerCase':
      return onboardingStatus.toLowerCase();
    case 'trailingSpace':
      return `${onboardingStatus} `;
    case 'misspelled':
      return onboardingStatus === 'ONBOARDING_FINISHED' ? 'ONBOADING_FINISHED' : onboardingStatus;
    case 'newValue':
      return onboardingStatus === 'ONBOARDING_FINISHED' ? 'ONBOARDING_CONCLUDED' : onboardingStatus;
    default:
      return statusSpelling satisfies never;
  }
}
