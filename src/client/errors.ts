import type { OnboardingResult } from '../contract/index.js';

/** The session was completed before, so it was not started again. `result` says how it ended. */
export class SessionCompletedError extends Error {
  override readonly name = 'SessionCompletedError';
  readonly interviewId: string;
  readonly result: OnboardingResult;

  constructor(result: OnboardingResult) {
    super(
      `Session ${result.interviewId} was completed before: ${result.outcome}. ` +
        `Start with ifCompleted: 'return' to get that result, or 'restart' to go through it again.`,
    );
    this.interviewId = result.interviewId;
    this.result = result;
  }
}

/** No workflow was ever started for the session, or the namespace's retention has removed it. */
export class SessionNotFoundError extends Error {
  override readonly name = 'SessionNotFoundError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(`Session ${interviewId}: no onboarding is known in this namespace. Start it first.`);
    this.interviewId = interviewId;
  }
}

/**
 * The onboarding ended without a result: Incode refused the session for good, or somebody cancelled or terminated the
 * workflow. Starting the session again is safe: its status is read first.
 */
export class SessionFailedError extends Error {
  override readonly name = 'SessionFailedError';
  readonly interviewId: string;
  /** One of the contract's `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  readonly type: string;
  /** `details[0]` of the workflow's failure, if it had one. */
  readonly details: unknown;

  constructor(interviewId: string, type: string, message: string, details?: unknown) {
    super(message.includes(interviewId) ? message : `Session ${interviewId}: ${message}`);
    this.interviewId = interviewId;
    this.type = type;
    this.details = details;
  }
}

/** The `TEMPORAL_…` variables or the profile file are wrong. Nothing was sent. */
export class TemporalConfigurationError extends Error {
  override readonly name = 'TemporalConfigurationError';

  constructor(cause: unknown) {
    super(`The Temporal configuration (TEMPORAL_… and its profile file) is wrong: ${messageOf(cause)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The request makes no sense in the stage in which the session is. Nothing was changed. */
export class WrongStageError extends Error {
  override readonly name = 'WrongStageError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/** The answer did not come in time. The session goes on at the server: ask for the answer again. */
export class AnswerPendingError extends Error {
  override readonly name = 'AnswerPendingError';
  readonly interviewId: string;

  constructor(interviewId: string, timeoutMs: number) {
    super(
      `Session ${interviewId}: no answer within ${timeoutMs / 1_000} s. The onboarding goes on at the server; ` +
        'ask again, or look at its state to see what it waits for.',
    );
    this.interviewId = interviewId;
  }
}
