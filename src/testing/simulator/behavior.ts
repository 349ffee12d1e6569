/**
 * What the simulator does where the real Incode's behavior is not known. The defaults are the hardest for clients, or what
 * Incode's own samples rely on. Everything else is a deviation that a client must survive.
 */
export interface SimulatorBehavior {
  /**
   * A read with a session token and `?id=` of another session: refused with 401; answered for the token's session, as if
   * `id` were not there; or answered for the other session.
   *
   * @default "refused"
   */
  foreignId: 'refused' | 'ignored' | 'answered';
  /** A read with a session token and without `?id=`: answered for the token's session, or refused with 400. @default "answered" */
  missingId: 'answered' | 'refused';
  /**
   * finish-status of a finished session: takes effect again; gives the same answer without effect; is refused with 400; or takes
   * effect again and answers another action.
   *
   * @default "repeated"
   */
  secondFinish: 'repeated' | 'idempotent' | 'refused' | 'otherAction';
  /** finish-status of a closed session. @default "accepted" */
  closedFinish: 'accepted' | 'refused';
  /** finish-status of an expired session. @default "refused" */
  expiredFinish: 'accepted' | 'refused';
  /** finish-status of a session of `POST /omni/start` without any document. @default "accepted" */
  emptyFinish: 'accepted' | 'refused';
  /**
   * How answers and webhooks spell a status: as documented; in lower case; with a space at the end; with the misspelling
   * `ONBOADING_FINISHED`; or with `ONBOARDING_CONCLUDED`, a value that is new to every client, for `ONBOARDING_FINISHED`.
   *
   * @default "documented"
   */
  statusSpelling: 'documented' | 'lowerCase' | 'trailingSpace' | 'misspelled' | 'newValue';
  /** How long a read of the status tells the status before the last change, in milliseconds, not scaled. @default 0 */
  statusLagMs: number;
  /** How long the score of a session without `scoreReadyAfterMs` is UNKNOWN after finish-status, in milliseconds, not scaled. @default 0 */
  scoreLagMs: number;
  /** What finish-status answers as `redirectionUrl` of every session. @default null: what the session was opened with */
  redirectionUrl: string | null;
  /** `POST /omni/start` with the `interviewId` of a session: another token for it, a new session, or refused with 400. @default "reissued" */
  knownIdStart: 'reissued' | 'newSession' | 'refused';
  /** `POST /omni/start` with an `interviewId` that does not exist: refused with 404, or a new session. @default "refused" */
  unknownIdStart: 'refused' | 'newSession';
  /** Whether another token for a session makes its earlier tokens invalid. @default "valid" */
  earlierTokens: 'valid' | 'revoked';
  /** A JWT with the claim `interviewId`, a JWT without it, or no JWT. @default "namesInterview" */
  tokenForm: 'namesInterview' | 'anonymous' | 'opaque';
  /** `process/id` again without another picture: accepted, or refused with 400. @default "accepted" */
  secondProcessId: 'accepted' | 'refused';
  /**
   * Headers without which a call is refused, GET included. Incode documents all of them for every call.
   *
   * @default ["x-api-key", "api-version", "content-type"]
   */
  requiredHeaders: readonly RequiredHeader[];
  /** HTTP status for a wrong or missing API key. @default 403 */
  apiKeyRefusal: 401 | 403;
  /** HTTP status for a wrong or missing session token. @default 401 */
  tokenRefusal: 401 | 403;
  /** What a refusal's body is: Incode's JSON, a gateway's HTML, or nothing. @default "json" */
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

/** A status as answers and webhooks tell it. */
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
