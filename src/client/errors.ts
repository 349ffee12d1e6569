import { type OnboardingResult, type Plan, type Stage, TemporalIncodeError } from '../contract/index.js';
import type { PendingCall } from './pending-call.js';

/** The session was completed before, so it was not started again. `result` says how it ended. */
export class SessionCompletedError extends TemporalIncodeError {
  override readonly name = 'SessionCompletedError';
  readonly interviewId: string;
  /** Not shown when the error is printed: names of persons stand in its redirection URL. */
  declare readonly result: OnboardingResult;

  constructor(result: OnboardingResult) {
    super(
      `Session ${result.interviewId} was completed before: ${result.outcome}. ` +
        `Start with ifCompleted: 'return' to get that result, or 'restart' to go through it again.`,
    );
    this.interviewId = result.interviewId;
    Object.defineProperty(this, 'result', { value: result });
  }
}

/** No workflow was ever started for the session, or the namespace's retention has removed it. */
export class SessionNotFoundError extends TemporalIncodeError {
  override readonly name = 'SessionNotFoundError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(
      `Session ${interviewId}: no onboarding is known in this namespace. A batch may have completed it, or it was never started here, or its history was removed.`,
    );
    this.interviewId = interviewId;
  }
}

/** The session's onboarding has ended, so it takes no request. Nothing was changed. */
export class SessionEndedError extends TemporalIncodeError {
  override readonly name = 'SessionEndedError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(
      `Session ${interviewId}: its onboarding has ended, so it needs no token and no other deadline any more. ` +
        'Its state and its result say how it ended.',
    );
    this.interviewId = interviewId;
  }
}

/**
 * The onboarding ended without a result: Incode refused the session for good, or somebody cancelled or terminated the
 * workflow. Starting the session again is safe: its status is read first.
 */
export class SessionFailedError extends TemporalIncodeError {
  override readonly name = 'SessionFailedError';
  readonly interviewId: string;
  /** One of `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
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

/** The request makes no sense in the stage in which the session is. Nothing was changed. */
export class WrongStageError extends TemporalIncodeError {
  override readonly name = 'WrongStageError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/**
 * More updates `finish` than there is room for wait for the session's answer, all sent by other programs under ids of their own. Nothing
 * was changed, and the session goes on.
 */
export class TooManyWaitingError extends TemporalIncodeError {
  override readonly name = 'TooManyWaitingError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/** The session's onboarding runs with another plan than the one given. It goes on with its own plan. */
export class PlanMismatchError extends TemporalIncodeError {
  override readonly name = 'PlanMismatchError';
  readonly interviewId: string;
  /** The parts of the plan that differ, such as `["close"]`. */
  readonly differs: readonly (keyof Plan)[];
  /** The plan that the onboarding follows, its defaults filled in. */
  readonly plan: Required<Plan>;

  constructor(interviewId: string, differs: readonly (keyof Plan)[], plan: Required<Plan>) {
    const inForce = differs.map((part) => `${part} is ${JSON.stringify(plan[part])}`).join(', ');
    super(
      `Session ${interviewId} runs with another plan: ${inForce}. It goes on with that plan. Give the same plan or none, or ` +
        `attach to it with ifPlanDiffers: 'attach'.`,
    );
    this.interviewId = interviewId;
    this.differs = differs;
    this.plan = plan;
  }
}

/** What is known of a session when a request for it was not answered in time. */
export interface PendingFacts {
  interviewId: string;
  timeoutMs: number;
  /** `false` if the onboarding ended just after the time was over. */
  isRunning: boolean;
  taskQueue: string;
  hasWorker: boolean | null;
  /** Whether a worker told where the session stands. */
  isAnswering: boolean;
  stage: Stage | null;
  waitingFor: string | null;
  call: PendingCall | null;
}

/**
 * The answer did not come within the timeout. The onboarding is at the server and goes on there, or waits for what the message
 * names. Ask again later: a repeated request gets the same answer.
 */
export class AnswerPendingError extends TemporalIncodeError {
  override readonly name = 'AnswerPendingError';
  readonly interviewId: string;
  /** The session's stage. If no worker answers, it is the one that the server lists, which may be behind. `null`: not known. */
  readonly stage: Stage | null;
  /** What somebody has to do before the session goes on, for people; `null` if nobody has to do anything or it is not known. */
  readonly waitingFor: string | null;
  /** Whether a worker has polled the session's task queue within the last minute or so; `null` if it is not known. */
  readonly hasWorker: boolean | null;

  constructor(facts: PendingFacts) {
    const { interviewId, timeoutMs, stage, waitingFor, hasWorker } = facts;
    super(`Session ${interviewId}: no answer within ${timeoutMs / 1_000} s. ${whatHappensNext(facts)}`);
    this.interviewId = interviewId;
    this.stage = stage;
    this.waitingFor = waitingFor;
    this.hasWorker = hasWorker;
  }
}

function whatHappensNext({
  isRunning,
  taskQueue,
  hasWorker,
  isAnswering,
  stage,
  waitingFor,
  call,
}: PendingFacts): string {
  if (!isRunning) return 'Its onboarding has ended meanwhile: ask again to learn how.';
  if (hasWorker === false) {
    return `No worker polls the task queue ${taskQueue}, so nothing happens until one does. Start a worker, then ask again.`;
  }
  if (waitingFor !== null) return `It waits for ${waitingFor}. After that it goes on: ask again then.`;
  if (call?.paused) return `An operator has paused its call ${call.activity}. It goes on when the call is unpaused.`;
  if (!isAnswering) {
    return (
      `The workers of the task queue ${taskQueue} do not answer for this session: they are overloaded, or too many signals wait ` +
      'for it. It goes on as soon as one of them takes it. Look at their logs and metrics, then ask again.'
    );
  }
  const failure = call?.lastFailure;
  if (call && failure) {
    return `Its call ${call.activity} is being retried, attempt ${call.attempt} after: ${failure.message} It goes on: ask again later.`;
  }
  return `It goes on at the server, in the stage ${stage}: ask again later.`;
}
