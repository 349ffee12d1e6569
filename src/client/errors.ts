import { type OnboardingResult, type Plan, type Stage, TemporalIncodeError } from '../contract/index.js';
import { needsOperator, type PendingCall } from './pending-call.js';

/** The session is already completed, so it was not started again. `result` holds its outcome. */
export class SessionCompletedError extends TemporalIncodeError {
  override readonly name = 'SessionCompletedError';
  readonly interviewId: string;
  /** Hidden when the error is printed, because its redirection URL may contain names of people. */
  declare readonly result: OnboardingResult;

  constructor(result: OnboardingResult) {
    super(
      `Session ${result.interviewId} is already completed: ${result.outcome}. ` +
        `Start it with ifCompleted: 'return' to get that onboarding, or 'restart' to run it again.`,
    );
    this.interviewId = result.interviewId;
    Object.defineProperty(this, 'result', { value: result });
  }
}

/** The namespace has no workflow for the session: none was started here, or its retention period is over. */
export class SessionNotFoundError extends TemporalIncodeError {
  override readonly name = 'SessionNotFoundError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(
      `Session ${interviewId}: no onboarding is known in this namespace. It was never started here, its history was removed, ` +
        'or a batch completed the session. Check its id and the namespace.',
    );
    this.interviewId = interviewId;
  }
}

/** The session's onboarding has ended, so it accepts no requests. Nothing was changed. */
export class SessionEndedError extends TemporalIncodeError {
  override readonly name = 'SessionEndedError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(
      `Session ${interviewId}: its onboarding has ended, so it accepts no token and no new deadline. ` +
        'Read its state and its result to see how it ended.',
    );
    this.interviewId = interviewId;
  }
}

/**
 * The onboarding ended without a result: Incode refused the session permanently, or the workflow was cancelled or terminated.
 * Starting the session again is safe, because its status is read first.
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

/** The session's current stage does not allow the request. Nothing was changed. */
export class WrongStageError extends TemporalIncodeError {
  override readonly name = 'WrongStageError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/** Other programs' unfinished updates leave no room for this one. Nothing was changed, and the onboarding continues. */
export class TooManyWaitingError extends TemporalIncodeError {
  override readonly name = 'TooManyWaitingError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/** The session's onboarding runs with another plan than the requested one, and continues with it. */
export class PlanMismatchError extends TemporalIncodeError {
  override readonly name = 'PlanMismatchError';
  readonly interviewId: string;
  /** The parts of the plan that differ, such as `["close"]`. */
  readonly differs: readonly (keyof Plan)[];
  /** The plan that the onboarding follows, including defaults. */
  readonly plan: Required<Plan>;

  constructor(interviewId: string, differs: readonly (keyof Plan)[], plan: Required<Plan>) {
    const inForce = differs.map((part) => `${part} is ${JSON.stringify(plan[part])}`).join(', ');
    super(
      `Session ${interviewId} runs with another plan: ${inForce}. It continues with that plan. Pass the same plan or none, or ` +
        `attach to it with ifPlanDiffers: 'attach'.`,
    );
    this.interviewId = interviewId;
    this.differs = differs;
    this.plan = plan;
  }
}

/** What the client knows about a session or a person after a request timed out. */
export interface WaitFacts {
  /** The timeout that has passed. */
  timeoutMs: number;
  /** `false` if the onboarding ended just after the timeout. */
  isRunning: boolean;
  /** Task queue of the workflow. */
  taskQueue: string;
  /** Whether a worker has polled the task queue within about the last minute. `null` if unknown. */
  hasWorker: boolean | null;
  /** Whether a worker answered the query for the state. */
  isAnswering: boolean;
  /** `null` if unknown. */
  stage: string | null;
  /** What someone must do before the onboarding continues. `null` if there is nothing to do or it is unknown. */
  waitingFor: string | null;
  /** The call to Incode that is in flight or waits for its next attempt. */
  call: PendingCall | null;
}

/** What the client knows about a session after a request timed out. */
export interface PendingFacts extends WaitFacts {
  /** Incode's id of the session. */
  interviewId: string;
  /** The session's stage. `null` if unknown. */
  stage: Stage | null;
}

/**
 * The answer did not arrive within the timeout. The onboarding continues on the server, or waits for what the message names.
 * Repeat the request later: it gets the same answer.
 */
export class AnswerPendingError extends TemporalIncodeError {
  override readonly name = 'AnswerPendingError';
  readonly interviewId: string;
  /** The session's stage. If no worker answers, this is the stage that the server lists, which may be outdated. `null` if unknown. */
  readonly stage: Stage | null;
  /** What someone must do before the session continues, as readable text. `null` if there is nothing to do or it is unknown. */
  readonly waitingFor: string | null;
  /** Whether a worker has polled the session's task queue within about the last minute. `null` if unknown. */
  readonly hasWorker: boolean | null;

  constructor(facts: PendingFacts) {
    const { interviewId, stage, waitingFor, hasWorker } = facts;
    super(`Session ${interviewId}: ${whyPending(facts, 'session')}`);
    this.interviewId = interviewId;
    this.stage = stage;
    this.waitingFor = waitingFor;
    this.hasWorker = hasWorker;
  }
}

/** @param noun what the facts are about, for messages */
export function whyPending(facts: WaitFacts, noun: 'session' | 'person'): string {
  return `no answer within ${facts.timeoutMs / 1_000} s. ${whatHappensNext(facts, noun)}`;
}

function whatHappensNext(facts: WaitFacts, noun: string): string {
  const { isRunning, taskQueue, hasWorker, isAnswering, stage, waitingFor, call } = facts;
  if (!isRunning) return 'Its onboarding has ended meanwhile. Repeat the request to get the result.';
  if (hasWorker === false) {
    return `No worker polls the task queue ${taskQueue}. Start a worker, then repeat the request.`;
  }
  const failure = call?.lastFailure;
  if (waitingFor !== null && call && failure && needsOperator(call)) {
    const why = `its call ${call.activity} fails. ${sentence(failure.message)}`;
    return `It waits for ${waitingFor}: ${why} Within a minute after that it continues.`;
  }
  if (waitingFor !== null) return `It waits for ${waitingFor}. Repeat the request after that.`;
  if (call?.paused) return `An operator has paused its call ${call.activity}. It continues when the call is unpaused.`;
  if (!isAnswering) {
    return (
      `The workers of the task queue ${taskQueue} do not answer for this ${noun}: they are overloaded, or the ${noun} has too many ` +
      'pending signals. It continues as soon as a worker takes it. Check their logs and metrics, then repeat the request.'
    );
  }
  if (call && failure) {
    return `Its call ${call.activity} is being retried, attempt ${call.attempt} after: ${sentence(failure.message)} It continues. Repeat the request later.`;
  }
  return `It continues on the server, in the stage ${stage}. Repeat the request later.`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
