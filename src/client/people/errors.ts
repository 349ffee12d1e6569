import { type CaptureStage, captureWorkflowId, type ImageSide, TemporalIncodeError } from '../../contract/index.js';
import { whyNotAgain } from '../../contract/person-row.js';
import { type WaitFacts, whyPending } from '../errors.js';

/** What all errors about a person have. */
abstract class PersonError extends TemporalIncodeError {
  /** The caller's own id of the person. */
  readonly reference: string;

  constructor(reference: string, message: string) {
    super(message);
    this.reference = reference;
  }
}

/** The namespace has no workflow for the person: none was started here, or its retention period is over. */
export class PersonNotFoundError extends PersonError {
  override readonly name = 'PersonNotFoundError';

  constructor(reference: string) {
    super(
      reference,
      `Person ${reference}: the workflow ${captureWorkflowId(reference)} is not known in this namespace. It was never started here, ` +
        'or its history was removed. Check the reference and the namespace.',
    );
  }
}

/** The person's onboarding has ended, so it accepts no image. Nothing was changed. */
export class PersonEndedError extends PersonError {
  override readonly name = 'PersonEndedError';

  constructor(reference: string) {
    super(
      reference,
      `Person ${reference}: the onboarding has ended, so it accepts no other image. Read its state and its result to see how it ended.`,
    );
  }
}

/** The onboarding ended without a result: Incode or an image cannot be used, or the workflow was cancelled or terminated. */
export class PersonFailedError extends PersonError {
  override readonly name = 'PersonFailedError';
  /** One of `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  readonly type: string;
  /** The session, Incode's answers about the images and suspected orphans, if the workflow failed with them. */
  readonly details: unknown;

  constructor(reference: string, type: string, message: string, details?: unknown) {
    super(reference, message.includes(reference) ? message : `Person ${reference}: ${message}`);
    this.type = type;
    this.details = details;
  }
}

/**
 * The person's workflow was started with another request. `start` has started nothing. `result` reports no verdict, because it may be about
 * other images.
 */
export class PersonDiffersError extends PersonError {
  override readonly name = 'PersonDiffersError';
  /** What differs, such as `["front", "plan.purge"]`. */
  readonly differs: readonly string[];

  constructor(reference: string, differs: readonly string[], asked: 'start' | 'result' = 'start') {
    super(
      reference,
      `Person ${reference}: the workflow ${captureWorkflowId(reference)} was started with another request${asked === 'start' ? '' : ', so its result is not that of your request'}. ` +
        `It differs in: ${differs.join(', ')}. ${ADVICE[asked]}`,
    );
    this.differs = differs;
  }
}

const ADVICE = {
  start:
    'Nothing was started. Give the same request, or another reference. If the workflow has failed, retryFailed: true starts it with this request.',
  result:
    'Somebody has started the person again. Start your request under another reference, or ask with the request that you mean.',
} as const;

/**
 * The person has failed, or was cancelled or terminated, but the workflow of the session goes on or has completed. `start` has started
 * nothing, because another session would give the person two verdicts.
 */
export class PersonHasSessionError extends PersonError {
  override readonly name = 'PersonHasSessionError';
  /** The session that the earlier run of the person has opened. */
  readonly interviewId: string;
  /** Of the session's own workflow. */
  readonly status: 'running' | 'completed';

  constructor(reference: string, { interviewId, status }: { interviewId: string; status: 'running' | 'completed' }) {
    super(reference, `Person ${reference}: ${whyNotAgain(interviewId, status)}`);
    this.interviewId = interviewId;
    this.status = status;
  }
}

/**
 * The workflow does not wait for another image of this side, or somebody has handed in a newer one before this one was read. Nothing was
 * changed.
 */
export class PersonWrongStageError extends PersonError {
  override readonly name = 'PersonWrongStageError';
}

/**
 * The image that was handed in cannot be read or sent: it is missing, of another type, too large or too small, or has changed. Nothing was
 * changed, and the person goes on waiting for another image.
 */
export class PersonImageUnusableError extends PersonError {
  override readonly name = 'PersonImageUnusableError';
  readonly side: ImageSide;
  /** As in `ImageError`, such as `missing`. `null` if unknown. */
  readonly problem: string | null;

  constructor(reference: string, side: ImageSide, problem: string | null, message: string) {
    super(reference, `${message}. The person goes on waiting for another image of the ${side}.`);
    this.side = side;
    this.problem = problem;
  }
}

/** Other programs' unfinished updates leave no room for this one. Nothing was changed, and the onboarding continues. */
export class PersonTooManyWaitingError extends PersonError {
  override readonly name = 'PersonTooManyWaitingError';
}

/** What the client knows about a person after a request timed out. */
export interface PersonPendingFacts extends WaitFacts {
  reference: string;
  /** `null` if unknown. */
  stage: CaptureStage | null;
}

/** The answer did not arrive within the timeout. The onboarding continues on the server, or waits for what the message names. */
export class PersonPendingError extends PersonError {
  override readonly name = 'PersonPendingError';
  /** Where the person is. `null` if no worker answers. */
  readonly stage: CaptureStage | null;
  /** What someone must do before the person or the session continues. `null` if there is nothing to do or it is unknown. */
  readonly waitingFor: string | null;
  /** Whether a worker has polled the task queue within about the last minute. `null` if unknown. */
  readonly hasWorker: boolean | null;

  constructor(facts: PersonPendingFacts) {
    const { reference, stage, waitingFor, hasWorker } = facts;
    super(reference, `Person ${reference}: ${whyPending(facts, 'person')}`);
    this.stage = stage;
    this.waitingFor = waitingFor;
    this.hasWorker = hasWorker;
  }
}
