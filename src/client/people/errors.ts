import { type CaptureStage, captureWorkflowId, TemporalIncodeError } from '../../contract/index.js';
import { type WaitFacts, whyPending } from '../errors.js';

/** The namespace has no workflow for the person: none was started here, or its retention period is over. */
export class PersonNotFoundError extends TemporalIncodeError {
  override readonly name = 'PersonNotFoundError';
  readonly reference: string;

  constructor(reference: string) {
    super(
      `Person ${reference}: the workflow ${captureWorkflowId(reference)} is not known in this namespace. It was never started here, ` +
        'or its history was removed. Check the reference and the namespace.',
    );
    this.reference = reference;
  }
}

/** The person's onboarding has ended, so it accepts no image. Nothing was changed. */
export class PersonEndedError extends TemporalIncodeError {
  override readonly name = 'PersonEndedError';
  readonly reference: string;

  constructor(reference: string) {
    super(
      `Person ${reference}: the onboarding has ended, so it accepts no other image. Read its state and its result to see how it ended.`,
    );
    this.reference = reference;
  }
}

/** The onboarding ended without a result: Incode or an image cannot be used, or the workflow was cancelled or terminated. */
export class PersonFailedError extends TemporalIncodeError {
  override readonly name = 'PersonFailedError';
  readonly reference: string;
  /** One of `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  readonly type: string;
  /** The session, Incode's answers about the images and suspected orphans, if the workflow failed with them. */
  readonly details: unknown;

  constructor(reference: string, type: string, message: string, details?: unknown) {
    super(message.includes(reference) ? message : `Person ${reference}: ${message}`);
    this.reference = reference;
    this.type = type;
    this.details = details;
  }
}

/** The person's workflow was started with another request, and keeps it. Nothing was started. */
export class PersonDiffersError extends TemporalIncodeError {
  override readonly name = 'PersonDiffersError';
  readonly reference: string;
  /** What differs, such as `["front", "plan.purge"]`. */
  readonly differs: readonly string[];

  constructor(reference: string, differs: readonly string[]) {
    super(
      `Person ${reference}: the workflow ${captureWorkflowId(reference)} was started with another request. It differs in: ${differs.join(', ')}. ` +
        'Nothing was started. Give the same request, or another reference. If the workflow has failed, retryFailed: true starts it with this request.',
    );
    this.reference = reference;
    this.differs = differs;
  }
}

/** The workflow does not wait for another image of this side. Nothing was changed. */
export class PersonWrongStageError extends TemporalIncodeError {
  override readonly name = 'PersonWrongStageError';
  readonly reference: string;

  constructor(reference: string, message: string) {
    super(message);
    this.reference = reference;
  }
}

/** Other programs' unfinished updates leave no room for this one. Nothing was changed, and the onboarding continues. */
export class PersonTooManyWaitingError extends TemporalIncodeError {
  override readonly name = 'PersonTooManyWaitingError';
  readonly reference: string;

  constructor(reference: string, message: string) {
    super(message);
    this.reference = reference;
  }
}

/** What the client knows about a person after a request timed out. */
export interface PersonPendingFacts extends WaitFacts {
  reference: string;
  /** `null` if unknown. */
  stage: CaptureStage | null;
}

/** The answer did not arrive within the timeout. The onboarding continues on the server, or waits for what the message names. */
export class PersonPendingError extends TemporalIncodeError {
  override readonly name = 'PersonPendingError';
  readonly reference: string;
  /** Where the person is. `null` if no worker answers. */
  readonly stage: CaptureStage | null;
  /** What someone must do before the person or the session continues. `null` if there is nothing to do or it is unknown. */
  readonly waitingFor: string | null;
  /** Whether a worker has polled the task queue within about the last minute. `null` if unknown. */
  readonly hasWorker: boolean | null;

  constructor(facts: PersonPendingFacts) {
    const { reference, stage, waitingFor, hasWorker } = facts;
    super(`Person ${reference}: ${whyPending(facts, 'person')}`);
    this.reference = reference;
    this.stage = stage;
    this.waitingFor = waitingFor;
    this.hasWorker = hasWorker;
  }
}
