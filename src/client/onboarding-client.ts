import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  checkInterviewId,
  type FinishAnswer,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  TASK_QUEUE,
  UPDATES,
} from '../contract/index.js';
import { AnswerPendingError, SessionCompletedError, SessionNotFoundError } from './errors.js';
import { sessionFailure } from './failures.js';
import { checkedInput, checkedToken } from './input.js';
import { type SessionStatus, sessionStatus } from './status.js';

export interface OnboardingClientOptions {
  client: Client;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
}

export interface StartOptions {
  /**
   * What to do if the session was completed before: `refuse` throws a {@link SessionCompletedError}, `return` leaves it
   * completed, `restart` goes through it again, reading its status first.
   *
   * @default "refuse": completing a session twice is what this package exists to prevent.
   */
  ifCompleted?: 'refuse' | 'return' | 'restart';
}

export interface StartedOnboarding {
  interviewId: string;
  workflowId: string;
  runId: string;
  /** The session was running, or completed, before this call: nothing was started, and the given input was not used. */
  attached: boolean;
}

export interface WaitOptions {
  /** How long to wait, in milliseconds. @default no limit of its own */
  timeoutMs?: number;
}

/** Starts and steers onboardings from any Node service. Everything here survives the process that calls it. */
export class OnboardingClient {
  /** The Temporal client underneath, for whatever this class does not do. */
  readonly temporal: Client;
  private readonly taskQueue: string;

  constructor({ client, taskQueue = TASK_QUEUE }: OnboardingClientOptions) {
    this.temporal = client;
    this.taskQueue = taskQueue;
  }

  /**
   * Starts the session's onboarding, or attaches to the one that runs. One that failed or was cancelled is started again.
   *
   * @throws InvalidInputError before anything is sent
   * @throws SessionCompletedError
   */
  async start(input: OnboardingInput, { ifCompleted = 'refuse' }: StartOptions = {}): Promise<StartedOnboarding> {
    const checked = checkedInput(input);
    const { interviewId } = checked;
    const known = await this.startNew(checked, 'REJECT_DUPLICATE');
    if ('started' in known) return known.started;

    if (isRunning(known.existing)) return attachedTo(known.existing, interviewId);
    if (isCompleted(known.existing) && ifCompleted !== 'restart') {
      if (ifCompleted === 'return') return attachedTo(known.existing, interviewId);
      throw new SessionCompletedError(await this.result(interviewId));
    }
    const again = await this.startNew(
      { ...checked, verifyFirst: true },
      ifCompleted === 'restart' ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
    );
    // Somebody else was faster.
    return 'started' in again ? again.started : attachedTo(again.existing, interviewId);
  }

  /**
   * Finishes the session and returns Incode's answer as soon as it is there; the rest of the plan goes on. Starts the
   * onboarding if none runs. A session that was finished before gives the answer that it got then.
   *
   * @returns `null` if the session expired at Incode before it was finished
   * @throws InvalidInputError before anything is sent
   * @throws SessionFailedError if Incode refuses the session for good
   * @throws AnswerPendingError after `timeoutMs`; the session goes on
   */
  async finish(input: OnboardingInput, { timeoutMs }: WaitOptions = {}): Promise<FinishAnswer | null> {
    const checked = checkedInput(input);
    const { interviewId } = checked;
    return this.within(interviewId, timeoutMs, async () => {
      const askedAt = Date.now();
      let endedRunId: string;
      try {
        // One id for all callers: they share one answer, and asking again adds nothing to the history.
        return await this.finishWithStart(checked, 'REJECT_DUPLICATE', UPDATES.finish);
      } catch (error) {
        const description = await this.describe(interviewId);
        if (isCompleted(description)) return (await this.result(interviewId)).finish;
        // A failure of a run that had ended before is no answer to this call.
        const isOld = description.closeTime !== undefined && description.closeTime.getTime() < askedAt;
        if (!isOld || !isAnswerOfEndedRun(error)) throw error;
        endedRunId = description.runId;
      }
      // The ended run would answer under the first id again.
      const updateId = `${UPDATES.finish}-after-${endedRunId}`;
      return this.finishWithStart({ ...checked, verifyFirst: true }, 'ALLOW_DUPLICATE_FAILED_ONLY', updateId);
    });
  }

  /**
   * Waits for the end of the onboarding.
   *
   * @throws SessionNotFoundError
   * @throws SessionFailedError
   * @throws AnswerPendingError after `timeoutMs`
   */
  async result(interviewId: string, { timeoutMs }: WaitOptions = {}): Promise<OnboardingResult> {
    return this.within(interviewId, timeoutMs, () => this.handle(interviewId).result());
  }

  /**
   * Where the session stands: its stage, what it waits for, and the call that is being retried, if there is one. Needs no
   * worker, except for the stage of a session that is still running.
   *
   * @throws SessionNotFoundError
   */
  async state(interviewId: string): Promise<SessionStatus> {
    const handle = this.handle(interviewId);
    return this.within(interviewId, undefined, () => sessionStatus(this.temporal, interviewId, handle));
  }

  /**
   * Hands a fresh token to a running onboarding.
   *
   * @throws InvalidInputError before anything is sent
   * @throws SessionNotFoundError also if it has ended
   */
  async renewToken(interviewId: string, sessionToken: string): Promise<void> {
    const args: [{ sessionToken: string }] = [{ sessionToken: checkedToken(sessionToken) }];
    await this.within(interviewId, undefined, () =>
      this.handle(interviewId).executeUpdate(UPDATES.renewToken, { args }),
    );
  }

  /**
   * Asks a running onboarding to stop. A call to Incode that is under way is aborted; what it has done there stays done.
   *
   * @throws SessionNotFoundError also if it has ended
   */
  async cancel(interviewId: string): Promise<void> {
    await this.within(interviewId, undefined, () => this.handle(interviewId).cancel());
  }

  private async startNew(
    input: OnboardingInput,
    workflowIdReusePolicy: ReusePolicy,
  ): Promise<{ started: StartedOnboarding } | { existing: WorkflowExecutionDescription }> {
    const { interviewId } = input;
    try {
      const handle = await this.temporal.workflow.start(ONBOARDING_WORKFLOW, {
        ...this.startOptions(input),
        workflowIdReusePolicy,
        workflowIdConflictPolicy: 'FAIL',
      });
      const { workflowId, firstExecutionRunId: runId } = handle;
      return { started: { interviewId, workflowId, runId, attached: false } };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { existing: await this.describe(interviewId) };
    }
  }

  private async finishWithStart(
    input: OnboardingInput,
    workflowIdReusePolicy: ReusePolicy,
    updateId: string,
  ): Promise<FinishAnswer | null> {
    return this.temporal.workflow.executeUpdateWithStart<OnboardingWorkflow, FinishAnswer | null, []>(UPDATES.finish, {
      updateId,
      startWorkflowOperation: new WithStartWorkflowOperation<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
        ...this.startOptions(input),
        workflowIdReusePolicy,
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
  }

  private startOptions(input: OnboardingInput) {
    return {
      workflowId: onboardingWorkflowId(input.interviewId),
      taskQueue: this.taskQueue,
      args: [input] as [OnboardingInput],
      staticSummary: `Incode session ${input.interviewId}`,
    } satisfies Partial<WorkflowStartOptions>;
  }

  private handle(interviewId: string): WorkflowHandle<OnboardingWorkflow> {
    return this.temporal.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(checkInterviewId(interviewId)));
  }

  private describe(interviewId: string): Promise<WorkflowExecutionDescription> {
    return this.handle(interviewId).describe();
  }

  /** Runs one request, with a deadline if there is one, and turns Temporal's errors into ours. */
  private async within<T>(interviewId: string, timeoutMs: number | undefined, request: () => Promise<T>): Promise<T> {
    try {
      return await (timeoutMs === undefined ? request() : this.temporal.withDeadline(Date.now() + timeoutMs, request));
    } catch (error) {
      if (timeoutMs !== undefined && isDeadline(error)) throw new AnswerPendingError(interviewId, timeoutMs);
      if (error instanceof WorkflowNotFoundError) throw new SessionNotFoundError(interviewId);
      throw sessionFailure(interviewId, error);
    }
  }
}

type ReusePolicy = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'ALLOW_DUPLICATE';

function isRunning({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

function isCompleted({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'COMPLETED';
}

function isAnswerOfEndedRun(error: unknown): boolean {
  return error instanceof WorkflowExecutionAlreadyStartedError || error instanceof WorkflowUpdateFailedError;
}

function attachedTo({ workflowId, runId }: WorkflowExecutionDescription, interviewId: string): StartedOnboarding {
  return { interviewId, workflowId, runId, attached: true };
}

/** gRPC's DEADLINE_EXCEEDED, by itself or wrapped by the SDK. */
function isDeadline(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) && cause.code === 4;
}
