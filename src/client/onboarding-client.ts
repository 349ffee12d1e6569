import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  checkExtendDeadlineInput,
  checkInterviewId,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
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
import { redactWhenPrinted } from '../secrets/index.js';
import { checkEncryption } from './encryption.js';
import { TooManyWaitingError } from './errors.js';
import { undeliverable } from './failures.js';
import { type FinishedOnboarding, type FinishOptions, finishSession } from './finish-session.js';
import { checkedInput, checkedToken } from './input.js';
import { DEFAULT_TIMEOUT_MS, type OnboardingClientOptions, type UpdateOptions, type WaitOptions } from './options.js';
import { requestFor } from './request.js';
import { type SessionHost, startSession } from './start-session.js';
import { type StartedOnboarding, type StartOptions, workflowOptions } from './starting.js';
import { type SessionStatus, sessionStatus } from './status.js';
import { withTemporalErrors } from './temporal-failure.js';

/**
 * Starts and steers onboardings from any Node service. An onboarding runs at the server, so it survives the process that started
 * it. {@link connectOnboardingClient} makes one with a connection of its own.
 *
 * Every error is a `TemporalIncodeError`. Besides the errors that a method names, each one throws `TemporalUnavailableError` if
 * Temporal cannot be reached or refuses the caller, `ClientClosedError` after `close()`, `EncryptionKeyError` if a key is missing,
 * and `TemporalRequestError` for every other refusal by Temporal.
 *
 * @example
 * ```ts
 * const onboarding = new OnboardingClient({ client: new Client({ connection }) });
 * const answer = await onboarding.finish({ interviewId, sessionToken });
 * ```
 */
export class OnboardingClient {
  /** The Temporal client that carries the requests. Use it for what this class does not offer. */
  readonly temporal: Client;
  private readonly host: SessionHost;

  /** @throws TemporalConfigurationError if the server is not on this machine, and the client encrypts nothing */
  constructor({ client, taskQueue = TASK_QUEUE, requestEagerStart = false }: OnboardingClientOptions) {
    checkEncryption(client);
    this.temporal = client;
    this.host = { client, taskQueue, requestEagerStart };
    // Printing this object must not show the connection's credentials.
    redactWhenPrinted(this, { namespace: client.options.namespace, taskQueue });
  }

  /**
   * Starts the session's onboarding and returns as soon as the server has it. Attaches to one that runs, and hands it the given
   * token if it waits for one. Starts one again that failed or was cancelled.
   *
   * @example
   * ```ts
   * const { attached } = await onboarding.start({ interviewId, sessionToken, plan: { finishWhen: 'processed' } });
   * ```
   * @throws InvalidInputError before anything is sent
   * @throws SessionCompletedError if the session was completed before, unless `ifCompleted` says otherwise
   * @throws PlanMismatchError if its onboarding runs with another plan, unless `ifPlanDiffers` is `attach`
   * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
   */
  async start(input: OnboardingInput, options: StartOptions = {}): Promise<StartedOnboarding> {
    const checked = checkedInput(input);
    return this.request(checked.interviewId, Number.POSITIVE_INFINITY, () => startSession(this.host, checked, options));
  }

  /**
   * Finishes the session and returns Incode's answer as soon as it is there; the rest of the plan goes on. Starts the onboarding
   * if none runs. Attaches to one that runs, and hands it the given token once it waits for one. A session that was finished
   * before gives the answer that it got then.
   *
   * @example
   * ```ts
   * const answer = await onboarding.finish({ interviewId, sessionToken }, { timeoutMs: 10_000 });
   * if (answer?.action === 'approved') redirect(answer.redirectionUrl);
   * ```
   * @returns `null` if the session expired at Incode before it was finished
   * @throws InvalidInputError before anything is sent
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default: the session goes on. It comes up to five seconds later, because
   * the client first asks the server what the session waits for
   * @throws SessionFailedError if Incode refuses the session for good
   * @throws TooManyWaitingError if other programs' updates leave no room
   * @throws PlanMismatchError if its onboarding runs with another plan, unless `ifPlanDiffers` is `attach`
   * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
   */
  async finish(
    input: OnboardingInput,
    { timeoutMs = DEFAULT_TIMEOUT_MS, ifPlanDiffers }: FinishOptions = {},
  ): Promise<FinishedOnboarding | null> {
    const checked = checkedInput(input);
    return this.request(checked.interviewId, timeoutMs, () => finishSession(this.host, checked, ifPlanDiffers));
  }

  /**
   * Waits for the end of the onboarding, by default without a limit.
   *
   * @example
   * ```ts
   * const { outcome } = await onboarding.result(interviewId, { timeoutMs: 60_000 });
   * ```
   * @throws SessionNotFoundError
   * @throws SessionFailedError if the onboarding ends without a result
   * @throws AnswerPendingError after `timeoutMs`: the session goes on
   */
  async result(
    interviewId: string,
    { timeoutMs = Number.POSITIVE_INFINITY }: WaitOptions = {},
  ): Promise<OnboardingResult> {
    const handle = this.handle(interviewId);
    return this.request(interviewId, timeoutMs, () => handle.result());
  }

  /**
   * Tells where the session stands: its stage, what it waits for, its plan, and the call that is being retried. Needs no worker,
   * except for the stage of a session that is still running.
   *
   * @example
   * ```ts
   * const { state } = await onboarding.state(interviewId);
   * if (state?.stage === 'needsToken') await onboarding.renewToken(interviewId, await freshToken(interviewId));
   * ```
   * @throws SessionNotFoundError
   */
  async state(interviewId: string): Promise<SessionStatus> {
    const handle = this.handle(interviewId);
    return this.request(interviewId, Number.POSITIVE_INFINITY, () => sessionStatus(this.temporal, interviewId, handle));
  }

  /**
   * Hands a fresh token to a running onboarding. One that waits for a token goes on at once; another uses it for its next call.
   * If the session has no room for another update, the token is sent as a signal: one that Incode has refused is then passed over.
   *
   * @example
   * ```ts
   * await onboarding.renewToken(interviewId, sessionToken);
   * ```
   * @throws InvalidInputError before anything is sent, or if it is the token that Incode refused
   * @throws SessionNotFoundError
   * @throws SessionEndedError if the onboarding has ended, so that it needs no token any more
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default, if no worker has taken the token
   */
  async renewToken(interviewId: string, sessionToken: string, options: UpdateOptions = {}): Promise<void> {
    const token = { sessionToken: checkedToken(interviewId, sessionToken) };
    try {
      await this.update<void, { sessionToken: string }>(interviewId, UPDATES.renewToken, options, token);
    } catch (error) {
      if (!(error instanceof TooManyWaitingError)) throw error;
      await withTemporalErrors(this.temporal, () => this.handle(interviewId).signal(SIGNALS.renewToken, token));
    }
  }

  /**
   * Moves the deadline of the stage in which the session is: `waiting`, `scoring` or `inReview`.
   *
   * @example
   * ```ts
   * const { deadline } = await onboarding.extendDeadline(interviewId, '7 days');
   * ```
   * @param by a duration such as `"7 days"`, added to the deadline
   * @throws InvalidInputError before anything is sent
   * @throws WrongStageError if the stage has no deadline
   * @throws SessionNotFoundError
   * @throws SessionEndedError if the onboarding has ended
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default, if no worker has moved it
   */
  async extendDeadline(interviewId: string, by: string, options: UpdateOptions = {}): Promise<ExtendedDeadline> {
    checkExtendDeadlineInput({ by });
    return this.update<ExtendedDeadline, ExtendDeadlineInput>(interviewId, UPDATES.extendDeadline, options, { by });
  }

  /**
   * Passes on what Incode's status webhook says. Safe to repeat, and in any order.
   *
   * @example
   * ```ts
   * const delivery = await onboarding.statusChanged({ interviewId, onboardingStatus: 'ONBOARDING_FINISHED' });
   * ```
   * @param start starts an onboarding with this input for a session that never had one
   * @returns `unknownSession` if there is no onboarding, `ended` if it needs no news any more
   * @throws InvalidInputError before anything is sent
   * @throws TemporalUnavailableError: let Incode send the webhook again
   */
  async statusChanged(
    { interviewId, onboardingStatus }: StatusChangedInput,
    start?: Omit<OnboardingInput, 'interviewId'>,
  ): Promise<'delivered' | 'ended' | 'unknownSession'> {
    const signalArgs: [StatusChangedInput] = [{ interviewId: checkInterviewId(interviewId), onboardingStatus }];
    const input = start && checkedInput({ ...start, interviewId });
    return withTemporalErrors(this.temporal, async () => {
      try {
        if (!input) await this.handle(interviewId).signal(SIGNALS.statusChanged, ...signalArgs);
        else {
          await this.temporal.workflow.signalWithStart(ONBOARDING_WORKFLOW, {
            ...workflowOptions(input, this.host),
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
            signal: SIGNALS.statusChanged,
            signalArgs,
          });
        }
        return 'delivered';
      } catch (error) {
        const why = undeliverable(error);
        if (why) return why;
        throw error;
      }
    });
  }

  /**
   * Asks a running onboarding to stop. A call to Incode that is under way is aborted; what it has done there stays done. An
   * onboarding that has ended is left as it is.
   *
   * @example
   * ```ts
   * await onboarding.cancel(interviewId);
   * ```
   * @throws SessionNotFoundError
   */
  async cancel(interviewId: string): Promise<void> {
    const handle = this.handle(interviewId);
    await this.request(interviewId, Number.POSITIVE_INFINITY, () => handle.cancel());
  }

  private update<T, A>(
    interviewId: string,
    name: string,
    { updateId = randomUUID(), timeoutMs = DEFAULT_TIMEOUT_MS }: UpdateOptions,
    argument: A,
  ): Promise<T> {
    const handle = this.handle(interviewId);
    return this.request(interviewId, timeoutMs, () =>
      handle.executeUpdate<T, [A]>(name, { args: [argument], updateId }),
    );
  }

  private handle(interviewId: string): WorkflowHandle<OnboardingWorkflow> {
    return this.temporal.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(checkInterviewId(interviewId)));
  }

  private request<T>(interviewId: string, timeoutMs: number, request: () => Promise<T>): Promise<T> {
    return requestFor(this.temporal, interviewId, timeoutMs, request);
  }
}
