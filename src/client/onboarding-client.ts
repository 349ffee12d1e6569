import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import {
  checkExtendDeadlineInput,
  checkInterviewId,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
  type FinishAnswer,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  SIGNALS,
  type StatusChangedInput,
  TASK_QUEUE,
  UPDATES,
} from '../contract/index.js';
import { shownAs } from '../secrets/index.js';
import { checkEncryption } from './encryption.js';
import { AnswerPendingError, SessionCompletedError } from './errors.js';
import { isAbortedByEnd, requestFailure, withoutNeed } from './failures.js';
import { checkedInput, checkedToken } from './input.js';
import type { OnboardingClientOptions, UpdateOptions, WaitOptions } from './options.js';
import {
  attachedTo,
  confirmStarted,
  finishWithStart,
  isCompleted,
  isOfAnotherRun,
  isRunning,
  type ReusePolicy,
  type StartedOnboarding,
  type StartOptions,
  startNew,
  vouchedFor,
  workflowOptions,
} from './starting.js';
import { type SessionStatus, sessionStatus } from './status.js';
import { grpcError, isUpdateLimit, temporalFailure } from './temporal-failure.js';

/**
 * Starts and steers onboardings from any Node service. Everything here survives the process that calls it. Every method throws
 * `TemporalUnavailableError` if Temporal is away, or refuses the caller.
 */
export class OnboardingClient {
  /** The Temporal client underneath, for whatever this class does not do. */
  readonly temporal: Client;
  private readonly taskQueue: string;
  private readonly requestEagerStart: boolean;

  /** @throws TemporalConfigurationError if the server is not on this machine, and the client encrypts nothing */
  constructor({ client, taskQueue = TASK_QUEUE, requestEagerStart = false }: OnboardingClientOptions) {
    checkEncryption(client);
    this.temporal = client;
    this.taskQueue = taskQueue;
    this.requestEagerStart = requestEagerStart;
    shownAs(this, { namespace: client.options.namespace, taskQueue }); // Of credentials underneath nothing.
  }

  /**
   * Starts the session's onboarding, or attaches to the one that runs. One that failed or was cancelled is started again.
   *
   * @throws InvalidInputError before anything is sent
   * @throws SessionCompletedError
   */
  async start(
    input: OnboardingInput,
    { ifCompleted = 'refuse', batchId }: StartOptions = {},
  ): Promise<StartedOnboarding> {
    const checked = vouchedFor(checkedInput(input));
    const { interviewId } = checked;
    return this.within(interviewId, undefined, async () => {
      const started = await this.startNew(this.workflowOptions(checked, batchId), 'REJECT_DUPLICATE');
      if (started) return started;

      const existing = await this.describe(interviewId);
      if (isRunning(existing)) return attachedTo(existing, interviewId);
      if (isCompleted(existing) && ifCompleted !== 'restart') {
        if (ifCompleted === 'return') return attachedTo(existing, interviewId);
        throw new SessionCompletedError(await this.result(interviewId));
      }
      const again = await this.startNew(
        this.workflowOptions({ ...checked, verifyFirst: true }, batchId),
        ifCompleted === 'restart' ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      );
      // Unless somebody else was faster.
      return again ?? attachedTo(await this.describe(interviewId), interviewId);
    });
  }

  /**
   * Finishes the session and returns Incode's answer as soon as it is there; the rest of the plan goes on. Starts the
   * onboarding if none runs. A session that was finished before gives the answer that it got then.
   *
   * @returns `null` if the session expired at Incode before it was finished
   * @throws InvalidInputError before anything is sent
   * @throws SessionFailedError if Incode refuses the session for good
   * @throws TooManyWaitingError if other programs' updates leave no room
   * @throws AnswerPendingError after `timeoutMs`; the session goes on. TemporalUnavailableError, up to five seconds later, if the
   * server cannot tell that it does
   */
  async finish(input: OnboardingInput, { timeoutMs }: WaitOptions = {}): Promise<FinishAnswer | null> {
    const checked = vouchedFor(checkedInput(input));
    const { interviewId } = checked;
    return this.within(interviewId, timeoutMs, async () => {
      const askedAt = Date.now();
      // One id for all callers: they share one answer, and asking again adds nothing to the history.
      let updateId: string = UPDATES.finish;
      let options = this.workflowOptions(checked);
      let policy: ReusePolicy = 'REJECT_DUPLICATE';
      for (;;) {
        try {
          return await finishWithStart(this.temporal, options, policy, updateId);
        } catch (error) {
          const description = await this.describe(interviewId);
          const isOver = isAbortedByEnd(error) && !isRunning(description);
          if (isOver || isCompleted(description)) return (await this.result(interviewId)).finish;
          if (!isAbortedByEnd(error) && !isOfAnotherRun(error, description, askedAt)) throw error;
          // The ended run would answer under the first id again.
          if (!isRunning(description)) updateId = `${UPDATES.finish}-after-${description.runId}`;
          options = this.workflowOptions({ ...checked, verifyFirst: true });
          policy = 'ALLOW_DUPLICATE_FAILED_ONLY';
        }
      }
    }).catch(async (error: unknown) => {
      const confirm = () => confirmStarted(this.temporal, interviewId);
      if (error instanceof AnswerPendingError) await this.within(interviewId, undefined, confirm);
      throw error;
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
   * Hands a fresh token to a running onboarding. If the session has more unfinished updates than Temporal allows, it is sent as a
   * signal after half a minute: then a token that Incode has refused before is passed over, instead of refused.
   *
   * @throws InvalidInputError before anything is sent
   * @throws SessionNotFoundError also if it has ended
   */
  async renewToken(interviewId: string, sessionToken: string, options: UpdateOptions = {}): Promise<void> {
    const args: [{ sessionToken: string }] = [{ sessionToken: checkedToken(sessionToken) }];
    const handle = this.handle(interviewId);
    await this.within(interviewId, undefined, async () => {
      try {
        await handle.executeUpdate(UPDATES.renewToken, { args, ...options });
      } catch (error) {
        const grpc = grpcError(error);
        if (!grpc || !isUpdateLimit(grpc)) throw error;
        await handle.signal(SIGNALS.renewToken, ...args);
      }
    });
  }

  /**
   * Moves the deadline of the stage in which the session is: waiting, scoring or in review.
   *
   * @param by a duration such as `"7 days"`, added to the deadline
   * @throws InvalidInputError before anything is sent
   * @throws WrongStageError if the stage has no deadline
   * @throws SessionNotFoundError also if it has ended
   */
  async extendDeadline(interviewId: string, by: string, options: UpdateOptions = {}): Promise<ExtendedDeadline> {
    checkExtendDeadlineInput({ by });
    const args: [ExtendDeadlineInput] = [{ by }];
    return this.within(interviewId, undefined, () =>
      this.handle(interviewId).executeUpdate<ExtendedDeadline, [ExtendDeadlineInput]>(UPDATES.extendDeadline, {
        args,
        ...options,
      }),
    );
  }

  /**
   * Tells an onboarding what Incode's status webhook says. Safe to repeat, and in any order.
   *
   * @param start starts an onboarding with this input for a session that has none, and never had one
   * @returns `unknownSession` if there is no onboarding, `ended` if it needs no news any more
   * @throws TemporalUnavailableError: the webhook has to come again
   */
  async statusChanged(
    { interviewId, onboardingStatus }: StatusChangedInput,
    start?: Omit<OnboardingInput, 'interviewId'>,
  ): Promise<'delivered' | 'ended' | 'unknownSession'> {
    const signalArgs: [StatusChangedInput] = [{ interviewId: checkInterviewId(interviewId), onboardingStatus }];
    try {
      if (start) {
        await this.temporal.workflow.signalWithStart(ONBOARDING_WORKFLOW, {
          ...this.workflowOptions(checkedInput({ ...start, interviewId })),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          signal: SIGNALS.statusChanged,
          signalArgs,
        });
      } else await this.handle(interviewId).signal(SIGNALS.statusChanged, ...signalArgs);
      return 'delivered';
    } catch (error) {
      const need = withoutNeed(error);
      if (need) return need;
      throw temporalFailure(this.temporal, error);
    }
  }

  /**
   * Asks a running onboarding to stop. A call to Incode that is under way is aborted; what it has done there stays done.
   *
   * @throws SessionNotFoundError; one that has ended is left as it is
   */
  async cancel(interviewId: string): Promise<void> {
    await this.within(interviewId, undefined, () => this.handle(interviewId).cancel());
  }

  private startNew(options: ReturnType<typeof workflowOptions>, reusePolicy: ReusePolicy) {
    return startNew(this.temporal, options, reusePolicy, this.requestEagerStart);
  }

  private workflowOptions(input: OnboardingInput, batchId?: string) {
    return workflowOptions(input, { taskQueue: this.taskQueue, ...(batchId === undefined ? {} : { batchId }) });
  }

  private handle(interviewId: string): WorkflowHandle<OnboardingWorkflow> {
    return this.temporal.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(checkInterviewId(interviewId)));
  }

  private describe(interviewId: string): Promise<WorkflowExecutionDescription> {
    return this.handle(interviewId).describe();
  }

  /** Runs one request, with a deadline if there is one, and turns Temporal's errors into ours. */
  private async within<T>(interviewId: string, timeoutMs: number | undefined, request: () => Promise<T>): Promise<T> {
    const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    try {
      return await (deadline === undefined ? request() : this.temporal.withDeadline(deadline, request));
    } catch (error) {
      throw requestFailure(this.temporal, interviewId, { timeoutMs, deadline }, error);
    }
  }
}
