import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { checkReference, type PersonRequest, requestOf } from '../../contract/capture.js';
import {
  CAPTURE_UPDATES,
  type CaptureInput,
  type CapturePerson,
  type CaptureResult,
  type CaptureWorkflow,
  captureWorkflowId,
  checkCaptureInput,
  checkReplaceImageInput,
  FAILURES,
  type ImageReference,
  type ImageSide,
  type ReplaceImageInput,
} from '../../contract/index.js';
import { redactWhenPrinted } from '../../secrets/index.js';
import { sessionsOfRun } from '../../temporal/earlier-person.js';
import { inputOf } from '../../temporal/input.js';
import { DEFAULT_TIMEOUT_MS, type UpdateOptions, type WaitOptions } from '../options.js';
import { requestFor, UNLIMITED, type Wait } from '../request.js';
import { PersonDiffersError, PersonFailedError, PersonImageUnusableError } from './errors.js';
import { StartedRequests } from './requests.js';
import { compareWithRun, type StartedPerson, type StartPersonOptions, startPerson } from './start-person.js';
import { type PersonStatus, personStatus } from './status.js';
import { personSubject } from './subject.js';

/** How to wait for the result of a person, and of which request. */
export interface PersonResultOptions extends WaitOptions {
  /**
   * The request whose result to return.
   *
   * @default the request of this client's own `start`. Without that, the result of any request is returned
   */
  person?: CapturePerson;
}

interface PeopleHost {
  client: Client;
  taskQueue: string;
  requestEagerStart: boolean;
}

/**
 * Starts and controls onboardings of single people from images, as `OnboardingClient` does for sessions. It is the client's `people`. For
 * lists use `captureBatch`.
 */
export class PeopleClient {
  private readonly host: PeopleHost;
  private readonly requests = new StartedRequests();

  constructor(host: PeopleHost) {
    this.host = host;
    redactWhenPrinted(this, { taskQueue: host.taskQueue });
  }

  /**
   * Starts the person's onboarding and returns as soon as the server has accepted it. Repeating the same request attaches to it, also
   * after it has ended, so nobody gets a second session. A person who has failed before a session was opened is started again.
   *
   * @example
   * ```ts
   * await onboarding.people.start({ reference: '4711', front: { uri: 'file:4711/front.jpg' }, selfie: { uri: 'file:4711/selfie.jpg' } });
   * ```
   * @throws InvalidInputError before anything is sent
   * @throws PersonDiffersError if the reference was started with other images, another flow or another plan
   * @throws PersonHasSessionError with `retryFailed` while the session of the failed run is being completed, or if it has been
   * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
   */
  async start(input: CaptureInput, options: StartPersonOptions = {}): Promise<StartedPerson> {
    const checked = checkCaptureInput(input);
    const start = () => startPerson(this.host, checked, options);
    const started = await this.request(checked.reference, UNLIMITED, start);
    this.requests.add(checked);
    return started;
  }

  /**
   * Waits until the onboarding ends, by default without a timeout. If somebody has started the person again with other images, another flow,
   * country or custom fields, it throws instead of returning the verdict of that request. It compares with the request of this client's own
   * `start`. In another process, pass that request as `person`.
   *
   * @example
   * ```ts
   * const { interviewId, onboarding: session } = await onboarding.people.result('4711', { timeoutMs: 60_000 });
   * console.log(interviewId, session?.outcome);
   * ```
   * @throws PersonNotFoundError
   * @throws PersonFailedError if the onboarding ends without a result
   * @throws PersonDiffersError if the onboarding is that of another request
   * @throws PersonPendingError after `timeoutMs`. The onboarding continues
   */
  async result(
    reference: string,
    { timeoutMs = Number.POSITIVE_INFINITY, signal, person }: PersonResultOptions = {},
  ): Promise<CaptureResult> {
    const handle = this.handle(reference);
    const request = person ? requestOf(person) : this.requests.of(reference);
    // One run, because somebody may start another one meanwhile.
    const followed: { run?: WorkflowExecutionDescription } = {};
    try {
      return await this.request(reference, { timeoutMs, signal }, async () => {
        followed.run = await handle.describe();
        return request ? this.resultOf(followed.run, reference, request) : this.handleOf(followed.run).result();
      });
    } catch (error) {
      const { run } = followed;
      throw run && error instanceof PersonFailedError && error.details === undefined
        ? await this.request(reference, { timeoutMs, signal }, () => this.withSessions(run, error))
        : error;
    }
  }

  private async resultOf(
    run: WorkflowExecutionDescription,
    reference: string,
    request: PersonRequest,
  ): Promise<CaptureResult> {
    const known = await inputOf<CaptureInput>(this.host.client, run);
    const { differs, unread } = known
      ? await compareWithRun(this.host.client, run, request, known)
      : { differs: [], unread: [] };
    if (differs.length > 0) throw new PersonDiffersError(reference, differs, 'result');
    const result = await this.handleOf(run).result();
    const others = unread.filter((side) => result.digests?.[side]?.includes(request[side]?.sha256 ?? '') === false);
    if (others.length > 0) throw new PersonDiffersError(reference, others, 'result');
    return result;
  }

  /** A workflow that somebody has cancelled or terminated names no session. Its history does. */
  private async withSessions(
    run: WorkflowExecutionDescription,
    { reference, type, message }: PersonFailedError,
  ): Promise<PersonFailedError> {
    return new PersonFailedError(reference, type, message, await sessionsOfRun(this.host.client, run));
  }

  /**
   * Returns the person's state: the stage, the images that it waits for, and the call that is being retried. The stage needs a worker.
   *
   * @example
   * ```ts
   * const { state } = await onboarding.people.state('4711');
   * if (state?.stage === 'needsImage') console.log(state.needs);
   * ```
   * @throws PersonNotFoundError
   */
  async state(reference: string): Promise<PersonStatus> {
    const handle = this.handle(reference);
    return this.request(reference, UNLIMITED, () => personStatus(this.host.client, reference, handle));
  }

  /**
   * Hands in another image for a person in the stage `needsImage`, and returns when a worker has read and checked it. The onboarding continues
   * once it has every image that it needs.
   *
   * @example
   * ```ts
   * await onboarding.people.replaceImage('4711', 'front', { uri: 'file:4711/front-2.jpg' });
   * ```
   * @throws InvalidInputError before anything is sent
   * @throws PersonImageUnusableError if the image cannot be read or sent. The person goes on waiting
   * @throws PersonWrongStageError if the onboarding does not wait for another image of this side, or no longer does, or somebody hands in a newer
   * image before a worker has read this one
   * @throws PersonNotFoundError
   * @throws PersonEndedError if the onboarding has ended
   * @throws PersonTooManyWaitingError if other programs' updates leave no room
   * @throws PersonPendingError after `timeoutMs`, 30 s by default, if no worker has accepted the image. It counts once a worker has read it
   */
  async replaceImage(
    reference: string,
    side: ImageSide,
    image: ImageReference,
    { updateId = randomUUID(), timeoutMs = DEFAULT_TIMEOUT_MS, signal }: UpdateOptions = {},
  ): Promise<void> {
    const handle = this.handle(reference);
    const args: [ReplaceImageInput] = [checkReplaceImageInput({ side, image })];
    try {
      await this.request(reference, { timeoutMs, signal }, () =>
        handle.executeUpdate<void, [ReplaceImageInput]>(CAPTURE_UPDATES.replaceImage, { args, updateId }),
      );
    } catch (error) {
      throw error instanceof PersonFailedError && error.type === FAILURES.imageUnusable
        ? imageUnusable(side, error)
        : error;
    }
  }

  /**
   * Asks a running onboarding to stop, and that of its session too. A call to Incode that is in flight is aborted, but Incode may already
   * have acted on it. The session remains at Incode, unfinished. Does nothing if the onboarding has ended.
   *
   * @example
   * ```ts
   * await onboarding.people.cancel('4711');
   * ```
   * @throws PersonNotFoundError
   */
  async cancel(reference: string): Promise<void> {
    const handle = this.handle(reference);
    await this.request(reference, UNLIMITED, () => handle.cancel());
  }

  private handleOf({ workflowId, runId }: WorkflowExecutionDescription): WorkflowHandle<CaptureWorkflow> {
    return this.host.client.workflow.getHandle<CaptureWorkflow>(workflowId, runId);
  }

  private handle(reference: string): WorkflowHandle<CaptureWorkflow> {
    return this.host.client.workflow.getHandle<CaptureWorkflow>(captureWorkflowId(checkReference(reference)));
  }

  private request<T>(reference: string, wait: Wait, request: () => Promise<T>): Promise<T> {
    return requestFor(this.host.client, personSubject(reference), wait, request);
  }
}

function imageUnusable(side: ImageSide, { reference, message, details }: PersonFailedError): PersonImageUnusableError {
  const { problem = null } = (details ?? {}) as { problem?: string | null };
  return new PersonImageUnusableError(reference, side, problem, message);
}
