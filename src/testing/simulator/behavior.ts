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
  /** Answer to a second `process/id` without another image: accepted, or 400. @default "accepted" */
  secondProcessId: 'accepted' | 'refused';
  /**
   * Headers that every call needs, GET included. Incode documents all three for every call.
   *
   * @default ["x-api-key", "api-version", "content-type"]
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

export type RequiredHeader = 'x-api-key' | 'api-version' | 'content-type';

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
  secondProcessId: 'accepted',
  requiredHeaders: ['x-api-key', 'api-version', 'content-type'],
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
