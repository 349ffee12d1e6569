import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  BULK_TASK_QUEUE,
  checkExtendDeadlineInput,
  checkInterviewId,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
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
import { type FinishedOnboarding, type FinishOptions, finishSession } from './finish-session.js';
import { checkedInput, checkedToken } from './input.js';
import { DEFAULT_TIMEOUT_MS, type OnboardingClientOptions, type UpdateOptions, type WaitOptions } from './options.js';
import { PeopleClient } from './people/people-client.js';
import { requestFor, UNLIMITED, type Wait } from './request.js';
import { type SessionHost, startSession } from './start-session.js';
import type { StartedOnboarding, StartOptions } from './starting.js';
import { type SessionStatus, sessionStatus } from './status.js';
import { statusChanged } from './status-changed.js';
import { sessionSubject } from './subject.js';
import { withTemporalErrors } from './temporal-failure.js';

/**
 * Starts and controls onboardings from any Node service. An onboarding runs on the Temporal server, so it survives the process
 * that started it. Use {@link connectOnboardingClient} to create a client together with its connection.
 *
 * Every error is a `TemporalIncodeError`. Each method lists the errors that are specific to it. All methods also throw
 * `TemporalUnavailableError` if Temporal cannot be reached or refuses the caller, `ClientClosedError` after `close()`,
 * `EncryptionKeyError` if a key is missing, and `TemporalRequestError` if Temporal refuses the request for another reason.
 *
 * @example
 * ```ts
 * const onboarding = new OnboardingClient({ client: new Client({ connection }) });
 * const answer = await onboarding.finish({ interviewId, sessionToken });
 * ```
 */
export class OnboardingClient {
  /** The Temporal client that sends the requests. Use it for anything that this class does not offer. */
  readonly temporal: Client;
  /** Task queue of sessions and of `captureBatch`. `completeBatch` uses the other one. */
  readonly taskQueue: string;
  readonly bulkTaskQueue: string;
  /** Starts and controls onboardings of single people from images. */
  readonly people: PeopleClient;
  private readonly host: SessionHost;

  /** @throws TemporalConfigurationError if the server runs on another machine and the client does not encrypt */
  constructor(options: OnboardingClientOptions) {
    const { client, taskQueue = TASK_QUEUE, bulkTaskQueue = BULK_TASK_QUEUE, requestEagerStart = false } = options;
    checkEncryption(client);
    this.temporal = client;
    this.taskQueue = taskQueue;
    this.bulkTaskQueue = bulkTaskQueue;
    this.host = { client, taskQueue, requestEagerStart };
    this.people = new PeopleClient(this.host);
    // Printing the client must not reveal the connection's credentials.
    redactWhenPrinted(this, { namespace: client.options.namespace, taskQueue, bulkTaskQueue });
  }

  /**
   * Starts the session's onboarding and returns as soon as the server has accepted it. If the onboarding is already running,
   * attaches to it and passes it your token if it waits for one. Restarts an onboarding that failed or was cancelled.
   *
   * @example
   * ```ts
   * const { attached } = await onboarding.start({ interviewId, sessionToken, plan: { finishWhen: 'processed' } });
   * ```
   * @throws InvalidInputError before anything is sent
   * @throws SessionCompletedError if the session is already completed, unless you set `ifCompleted`
   * @throws PlanMismatchError if its onboarding runs with another plan, unless `ifPlanDiffers` is `attach`
   * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
   */
  async start(input: OnboardingInput, options: StartOptions = {}): Promise<StartedOnboarding> {
    const checked = checkedInput(input);
    return this.request(checked.interviewId, UNLIMITED, () => startSession(this.host, checked, options));
  }

  /**
   * Finishes the session and returns Incode's answer as soon as it arrives. The rest of the plan continues on the server. Starts
   * the onboarding if none is running; otherwise attaches to it and passes it your token when it waits for one. For a session
   * that is already finished, returns the answer from that time.
   *
   * @example
   * ```ts
   * const answer = await onboarding.finish({ interviewId, sessionToken }, { timeoutMs: 10_000 });
   * if (answer?.action === 'approved') redirect(answer.redirectionUrl);
   * ```
   * @returns `null` if the session expired at Incode before it was finished
   * @throws InvalidInputError before anything is sent
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default. The onboarding continues. The error arrives up to five seconds
   * later, because the client first asks the server what the session waits for
   * @throws the reason of `signal` when it aborts. An onboarding that was started continues
   * @throws SessionFailedError if Incode refuses the session for good
   * @throws TooManyWaitingError if other programs' updates leave no room
   * @throws PlanMismatchError if its onboarding runs with another plan, unless `ifPlanDiffers` is `attach`
   * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
   */
  async finish(
    input: OnboardingInput,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal, ifPlanDiffers }: FinishOptions = {},
  ): Promise<FinishedOnboarding | null> {
    const checked = checkedInput(input);
    const wait = { timeoutMs, signal };
    return this.request(checked.interviewId, wait, () => finishSession(this.host, checked, ifPlanDiffers));
  }

  /**
   * Waits until the onboarding ends, by default without a timeout.
   *
   * @example
   * ```ts
   * const { outcome } = await onboarding.result(interviewId, { timeoutMs: 60_000 });
   * ```
   * @throws SessionNotFoundError
   * @throws SessionFailedError if the onboarding ends without a result
   * @throws AnswerPendingError after `timeoutMs`. The onboarding continues
   */
  async result(
    interviewId: string,
    { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<OnboardingResult> {
    const handle = this.handle(interviewId);
    return this.request(interviewId, { timeoutMs, signal }, () => handle.result());
  }

  /**
   * Returns the session's state: its stage, what it waits for, its plan, and the call that is being retried. Only the stage of a
   * running session needs a worker.
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
    return this.request(interviewId, UNLIMITED, () => sessionStatus(this.temporal, interviewId, handle));
  }

  /**
   * Passes a new token to a running onboarding. If the onboarding waits for a token, it continues at once. Otherwise it uses the
   * token for its next call. If there is no room for another update, the client sends the token as a signal.
   *
   * @example
   * ```ts
   * await onboarding.renewToken(interviewId, sessionToken);
   * ```
   * @throws InvalidInputError before anything is sent, or if Incode has already refused this token
   * @throws SessionNotFoundError
   * @throws SessionEndedError if the onboarding has ended and needs no token
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default, if no worker has accepted the token
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
   * Extends the deadline of the session's current stage: `waiting`, `scoring` or `inReview`.
   *
   * @example
   * ```ts
   * const { deadline } = await onboarding.extendDeadline(interviewId, '7 days');
   * ```
   * @param by a duration such as `"7 days"`, added to the current deadline
   * @throws InvalidInputError before anything is sent
   * @throws WrongStageError if the stage has no deadline
   * @throws SessionNotFoundError
   * @throws SessionEndedError if the onboarding has ended
   * @throws AnswerPendingError after `timeoutMs`, 30 s by default, if no worker has extended the deadline
   */
  async extendDeadline(interviewId: string, by: string, options: UpdateOptions = {}): Promise<ExtendedDeadline> {
    checkExtendDeadlineInput({ by });
    return this.update<ExtendedDeadline, ExtendDeadlineInput>(interviewId, UPDATES.extendDeadline, options, { by });
  }

  /**
   * Passes a status from Incode's webhook to the session's onboarding. Safe to repeat and to call in any order.
   *
   * @example
   * ```ts
   * const delivery = await onboarding.statusChanged({ interviewId, onboardingStatus: 'ONBOARDING_FINISHED' });
   * ```
   * @param start input for a new onboarding, which starts if the session never had one
   * @returns `unknownSession` if there is no onboarding, `ended` if it has ended and ignores the status
   * @throws InvalidInputError before anything is sent
   * @throws TemporalUnavailableError: answer the webhook with an error so that Incode sends it again
   */
  async statusChanged(
    input: StatusChangedInput,
    start?: Omit<OnboardingInput, 'interviewId'>,
  ): Promise<'delivered' | 'ended' | 'unknownSession'> {
    return statusChanged(this.host, input, start);
  }

  /**
   * Asks a running onboarding to stop. A call to Incode that is in flight is aborted, but Incode may already have acted on it.
   * Does nothing if the onboarding has ended.
   *
   * @example
   * ```ts
   * await onboarding.cancel(interviewId);
   * ```
   * @throws SessionNotFoundError
   */
  async cancel(interviewId: string): Promise<void> {
    const handle = this.handle(interviewId);
    await this.request(interviewId, UNLIMITED, () => handle.cancel());
  }

  private update<T, A>(
    interviewId: string,
    name: string,
    { updateId = randomUUID(), timeoutMs = DEFAULT_TIMEOUT_MS, signal }: UpdateOptions,
    argument: A,
  ): Promise<T> {
    const handle = this.handle(interviewId);
    const update: { args: [A]; updateId: string } = { args: [argument], updateId };
    return this.request(interviewId, { timeoutMs, signal }, () => handle.executeUpdate<T, [A]>(name, update));
  }

  private handle(interviewId: string): WorkflowHandle<OnboardingWorkflow> {
    return this.temporal.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(checkInterviewId(interviewId)));
  }

  private request<T>(interviewId: string, wait: Wait, request: () => Promise<T>): Promise<T> {
    return requestFor(this.temporal, sessionSubject(interviewId), wait, request);
  }
}
