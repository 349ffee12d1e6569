// The names that callers in any language use. Never change one: callers and open workflows depend on it.

/** Task queue of {@link ONBOARDING_WORKFLOW} and of its activities. */
export const TASK_QUEUE = 'incode-onboarding';

/** Workflow type that completes one Incode session. */
export const ONBOARDING_WORKFLOW = 'onboardingSession';

/** Name of the Nexus service. */
export const NEXUS_SERVICE = 'incodeOnboarding';

/** Task queue that the Nexus endpoint must target. */
export const NEXUS_TASK_QUEUE = 'incode-onboarding-nexus';

/** Workflow type that waits for Incode's answer on behalf of a Nexus operation. */
export const ANSWER_WORKFLOW = 'onboardingAnswer';

/**
 * Workflow type that records which shard of a batch works on which session. Shards start it and exchange {@link CLAIM_SIGNALS} with it.
 * Callers do not need it.
 */
export const CLAIMS_WORKFLOW = 'onboardingBatchClaims';

/** Workflow type that starts {@link CLAIMS_WORKFLOW} for a shard, and ends. */
export const CLAIMS_STARTER = 'startOnboardingBatchClaims';

/** Signals between shards and {@link CLAIMS_WORKFLOW}: a shard sends `claim` and `release`, and receives `claimed`. */
export const CLAIM_SIGNALS = { claim: 'claim', release: 'release', claimed: 'claimed' } as const;

/** Update names. `finish` also works as update-with-start. */
export const UPDATES = { finish: 'finish', renewToken: 'renewToken', extendDeadline: 'extendDeadline' } as const;

/** Signal names. `statusChanged` also works as signal-with-start. Send `renewToken` as a signal if its update is refused for lack of room. */
export const SIGNALS = { renewToken: 'renewToken', statusChanged: 'statusChanged' } as const;

/** Query names. */
export const QUERIES = { state: 'state' } as const;

/**
 * Search attributes, all of type Keyword. They must exist in the namespace. A worker refuses to start without them, because an unknown
 * attribute would block the workflow.
 */
export const SEARCH_ATTRIBUTES = { stage: 'IncodeStage', outcome: 'IncodeOutcome', batchId: 'IncodeBatchId' } as const;

/** Each session has one workflow id, so a second start attaches instead of completing the session again. */
export function onboardingWorkflowId(interviewId: string): string {
  return `incode-onboarding/${interviewId}`;
}

/** Each waiting Nexus operation has one workflow. */
export function answerWorkflowId(interviewId: string, requestId: string): string {
  return `incode-answer/${interviewId}/${requestId}`;
}

/** Each bulk task queue has one workflow for its claims. */
export function claimsWorkflowId(taskQueue: string): string {
  return `incode-batch-claims/${taskQueue}`;
}

/**
 * `type` of the `ApplicationFailure`s that reach callers and the Web UI.
 *
 * The first group ends a workflow or refuses an update. The second group appears only while an activity is retried or the workflow
 * waits.
 *
 * @example
 * ```ts
 * const isUnknown = error instanceof ApplicationFailure && error.type === FAILURES.unknownSession;
 * ```
 */
export const FAILURES = {
  /** The input or an update's argument is invalid. Nothing was sent to Incode. */
  invalidInput: 'InvalidInput',
  /** The update is not possible in the session's current stage. Nothing was changed. */
  wrongStage: 'WrongStage',
  /** The maximum number of `finish` updates is already waiting for the answer. Nothing was changed. */
  tooManyWaiting: 'TooManyWaiting',
  /** Incode answered 400 or another 4xx that a retry cannot change. */
  badRequest: 'IncodeBadRequest',
  /** Incode answered 404: it does not know the session. */
  unknownSession: 'IncodeUnknownSession',
  /**
   * Incode answered finish-status, but a read with the executive token says that this session is not finished. The session token
   * probably belongs to another session.
   */
  notConfirmed: 'IncodeNotConfirmed',
  /** Incode answered 405. */
  methodNotAllowed: 'IncodeMethodNotAllowed',
  /** Incode answered 406. */
  notAcceptable: 'IncodeNotAcceptable',
  /** The token's claim or Incode says that the session token is for another session. Nothing was finished with it. */
  tokenMismatch: 'IncodeTokenMismatch',
  /** With an executive token: the session is not closed, because its token is not proven to belong to it. */
  tokenUnproven: 'IncodeTokenUnproven',
  /** Nothing can be deleted at Incode, because the worker has no executive token. */
  purgeImpossible: 'IncodePurgeImpossible',
  /** Somebody stopped the batch before it completed the session. */
  batchStopped: 'BatchStopped',
  /** An image of a person is missing, has changed, or cannot be sent to Incode. */
  imageUnusable: 'ImageUnusable',
  /** Incode refused an image of a person, and the plan says `fail`. */
  imageRefused: 'IncodeImageRefused',
  /** A person of a batch was started before with other images or another flow, so the result may belong to somebody else. */
  personDiffers: 'PersonDiffers',
  /** A failed person is not started again, because the workflow of the earlier session goes on or has completed. */
  personHasSession: 'PersonHasSession',

  /** Incode answered 401, or the token cannot be sent. The workflow waits in `needsToken`. */
  tokenRefused: 'IncodeTokenRefused',
  /** `POST /omni/start` answered with the token of another session. It is never used for this one. */
  wrongSession: 'IncodeWrongSession',
  /** Incode answered 403: the worker's API key is wrong. Retried slowly until the operator replaces it. */
  apiKeyRefused: 'IncodeApiKeyRefused',
  /** A redirect, or a proxy refused the request: the worker's base URL or proxy is wrong. Retried slowly. */
  misconfigured: 'IncodeMisconfigured',
  /** Incode was not reached or did not accept the request. Retried. */
  notTaken: 'IncodeNotTaken',
  /** The request ended with an unknown result. Retried: the worker reads the status first and finishes again only after the settle time. */
  resultUnknown: 'IncodeResultUnknown',
  /** The request may still be running at Incode. Retried in the same way as `resultUnknown`. */
  maybeRunning: 'IncodeMaybeRunning',
  /** An earlier request may still be running at Incode. The worker finishes after the settle time. */
  settling: 'IncodeSettling',
  /**
   * A finish request may have taken effect, and the session's status does not show it. The worker reads the status until it does, or
   * until the time to confirm is over.
   */
  unconfirmed: 'IncodeUnconfirmed',
  /** The worker's token source failed, hung, or gave a token that cannot be sent. Retried. */
  tokenSourceFailed: 'IncodeTokenSourceFailed',
  /** The session has not reached the milestone that the workflow waits for. Polled again. */
  milestoneNotReached: 'IncodeMilestoneNotReached',
  /** Incode has no score yet. Polled again. */
  scoreNotReady: 'IncodeScoreNotReady',
  /** `POST /omni/start` may have opened a session, and its answer was lost. The workflow looks for that session before it starts another. */
  maybeOpened: 'IncodeMaybeOpened',
  /** An image cannot be read at the moment. Retried. */
  imageNotReady: 'ImageNotReady',
  /** Incode has not yet processed the document. Polled again. */
  notProcessed: 'IncodeNotProcessed',
} as const;

/** The `type` of a failure. */
export type FailureType = (typeof FAILURES)[keyof typeof FAILURES];
