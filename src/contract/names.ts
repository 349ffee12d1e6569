/**
 * The names by which callers in any language reach this package. All of them are part of the contract: changing one
 * breaks callers and open workflows.
 */

/** Task queue of {@link ONBOARDING_WORKFLOW} and of its activities. */
export const TASK_QUEUE = 'incode-onboarding';

/** Workflow type that completes one Incode session. */
export const ONBOARDING_WORKFLOW = 'onboardingSession';

/** Nexus service, and the task queue to which its endpoint is to lead. */
export const NEXUS_SERVICE = 'incodeOnboarding';
export const NEXUS_TASK_QUEUE = 'incode-onboarding-nexus';

/** Workflow type that waits for Incode's answer on behalf of a Nexus operation. */
export const ANSWER_WORKFLOW = 'onboardingAnswer';

/** Update names. `finish` also works as update-with-start. */
export const UPDATES = { finish: 'finish', renewToken: 'renewToken', extendDeadline: 'extendDeadline' } as const;

/** Signal names. `statusChanged` also works as signal-with-start. `renewToken` is for when its update finds no room. */
export const SIGNALS = { renewToken: 'renewToken', statusChanged: 'statusChanged' } as const;

/** Query names. */
export const QUERIES = { state: 'state' } as const;

/**
 * Search attributes, all of type Keyword. They must exist in the namespace: an upsert of an unknown one blocks the
 * workflow, so a worker refuses to start without them.
 */
export const SEARCH_ATTRIBUTES = { stage: 'IncodeStage', outcome: 'IncodeOutcome', batchId: 'IncodeBatchId' } as const;

/** One session, one workflow id: that is what makes a second start attach instead of completing the session again. */
export function onboardingWorkflowId(interviewId: string): string {
  return `incode-onboarding/${interviewId}`;
}

/** One for each Nexus operation that waits. */
export function answerWorkflowId(interviewId: string, requestId: string): string {
  return `incode-answer/${interviewId}/${requestId}`;
}

/**
 * `type` of the `ApplicationFailure`s that reach callers and the Web UI.
 *
 * The first group ends a workflow; the second is seen only while an activity is being retried or the workflow waits.
 */
export const FAILURES = {
  /** The input or an update's argument is malformed. Nothing was sent to Incode. */
  invalidInput: 'InvalidInput',
  /** An update makes no sense in the stage in which the session is. Nothing was changed. */
  wrongStage: 'WrongStage',
  /** As many updates `finish` wait for the answer as there is room for. Nothing was changed. */
  tooManyWaiting: 'TooManyWaiting',
  /** Incode answered 400 or another 4xx that the same request cannot overcome. */
  badRequest: 'IncodeBadRequest',
  /** Incode answered 404: it does not know the session. */
  unknownSession: 'IncodeUnknownSession',
  /**
   * Incode answered the request to finish, but the executive token does not find this session finished. The session's token probably
   * belongs to another one.
   */
  notConfirmed: 'IncodeNotConfirmed',
  /** Incode answered 405. */
  methodNotAllowed: 'IncodeMethodNotAllowed',
  /** Incode answered 406. */
  notAcceptable: 'IncodeNotAcceptable',
  /** The session token is for another session: its claim or Incode says so. Nothing was sent with it. */
  tokenMismatch: 'IncodeTokenMismatch',
  /** With an executive token: the session is not closed, because its token is not proven to be its own. */
  tokenUnproven: 'IncodeTokenUnproven',
  /** Somebody stopped the batch before it came to the session. Nothing is known to have been sent. */
  batchStopped: 'BatchStopped',

  /** 401, or a token that cannot be sent. The workflow waits in `needsToken`. */
  tokenRefused: 'IncodeTokenRefused',
  /** `POST /omni/start` answered with the token of another session, which must never be used for this one. */
  wrongSession: 'IncodeWrongSession',
  /** 403: the worker's API key is wrong. Retried slowly until the operator mends it. */
  apiKeyRefused: 'IncodeApiKeyRefused',
  /** A redirect or a proxy's refusal: the worker's base URL or proxy is wrong. Retried slowly. */
  misconfigured: 'IncodeMisconfigured',
  /** Incode was not reached or did not take the request. Retried. */
  notTaken: 'IncodeNotTaken',
  /** The request is over, its result is not known. Retried, status first; finished again only after the settle time. */
  resultUnknown: 'IncodeResultUnknown',
  /** The request may still be running at Incode. Retried, status first; finished again only after the settle time. */
  maybeRunning: 'IncodeMaybeRunning',
  /** An earlier request may still be running at Incode, so finishing waits until it cannot. */
  settling: 'IncodeSettling',
  /**
   * A request to finish may have taken effect, and the session's status does not tell. The status is read again until it does, or until
   * the time to confirm is over.
   */
  unconfirmed: 'IncodeUnconfirmed',
  /** The worker's token source failed, hung, or gave no token that can be sent. Retried. */
  tokenSourceFailed: 'IncodeTokenSourceFailed',
  /** The session has not come as far as the workflow waits for. Asked again. */
  milestoneNotReached: 'IncodeMilestoneNotReached',
  /** Incode has no score yet. Asked again. */
  scoreNotReady: 'IncodeScoreNotReady',
} as const;

/** The `type` of a failure. */
export type FailureType = (typeof FAILURES)[keyof typeof FAILURES];
