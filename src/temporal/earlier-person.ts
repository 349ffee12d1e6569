import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import { parseSessionStarted } from '../contract/capture-guards.js';
import { CAPTURE_SIGNALS, FAILURES, onboardingWorkflowId, type SuspectedOrphan } from '../contract/index.js';
import { decodeFromPayloadsAtIndex } from './sdk-internals.js';

/** What a person's run without a result has left at Incode. */
export interface EarlierPerson {
  /** Sessions that this run, or a run before it, has opened or may have opened. */
  sessions: SuspectedOrphan[];
  /** The session whose own workflow goes on or has completed. With another session, the person would get two verdicts. */
  kept: KeptSession | null;
}

export interface KeptSession {
  interviewId: string;
  status: 'running' | 'completed';
}

/** Whether the server accepts another run in place of this one. */
export function hasEndedWithoutResult({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return ['FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'].includes(status.name);
}

/** The session that a run has used, and the others that it may have opened. */
export async function sessionsOfRun(
  client: Client,
  run: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<{ interviewId: string | null; suspectedOrphans: SuspectedOrphan[] }> {
  const requests = await requestsOf(client, run);
  const interviewId = requests.used;
  const isOther = (session: SuspectedOrphan) => session.interviewId === null || session.interviewId !== interviewId;
  return { interviewId, suspectedOrphans: requests.sessions().filter(isOther) };
}

async function requestsOf(
  client: Client,
  { workflowId, runId }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<SessionRequests> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const next = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  // It has taken everything over.
  if (next) return requestsOf(client, { workflowId, runId: next });
  const requests = new SessionRequests(client);
  for (const event of events ?? []) await requests.read(event);
  return requests;
}

/** Reads the history of the run, which needs no worker, and looks for the workflows of its sessions. */
export async function earlierPerson(
  client: Client,
  run: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<EarlierPerson> {
  const sessions = (await requestsOf(client, run)).sessions();
  for (const { interviewId } of sessions) {
    const status = interviewId === null ? null : await statusOf(client, interviewId);
    if (interviewId !== null && status !== null) return { sessions, kept: { interviewId, status } };
  }
  return { sessions, kept: null };
}

/** @returns `null` if no workflow completes the session, and none has completed it */
async function statusOf(client: Client, interviewId: string): Promise<KeptSession['status'] | null> {
  try {
    const { status } = await client.workflow.getHandle(onboardingWorkflowId(interviewId)).describe();
    if (status.name === 'RUNNING' || status.name === 'PAUSED') return 'running';
    return status.name === 'COMPLETED' ? 'completed' : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];
type Payloads = Parameters<typeof decodeFromPayloadsAtIndex>[2];

type RequestFailure = { type?: string | null; nonRetryable?: boolean | null } | null | undefined;

/** A request for a session. The workflow counts in the same way, see `OpeningAttempt`. */
interface SessionRequest {
  /** Sessions that answers or webhooks have named. */
  interviewIds: Set<string>;
  isAnswerLost: boolean;
  isTakingOver: boolean;
  /** How many sessions Incode may have opened instead of giving a token for a known one. */
  opensInstead: number;
}

/** Whether it may have opened a session that neither an answer nor a webhook has named. */
function mayHaveUnknown({ interviewIds, isAnswerLost, isTakingOver, opensInstead }: SessionRequest): boolean {
  if (isTakingOver) return true;
  return interviewIds.size === 0 ? isAnswerLost : interviewIds.size - 1 < opensInstead;
}

/** What a run hands to the next one about its requests. */
interface Carried {
  attempts?: {
    externalCustomerId: string;
    interviewId: string | null;
    isAnswerLost: boolean;
    isTakingOver?: boolean;
    otherIds?: string[];
    opensInstead?: number;
  }[];
  session?: { interviewId: string } | null;
}

/** The requests for a session in the history of a person, by `externalCustomerId`. */
class SessionRequests {
  private readonly client: Client;
  private readonly requests = new Map<string, SessionRequest>();
  /** By the event that has scheduled the activity. */
  private readonly calls = new Map<string, { request: SessionRequest; takeOver: string | undefined }>();
  private earlier: SuspectedOrphan[] = [];
  /** The session that Incode has given the first token for. */
  used: string | null = null;

  constructor(client: Client) {
    this.client = client;
  }

  sessions(): SuspectedOrphan[] {
    const own = [...this.requests].flatMap(([externalCustomerId, request]) => {
      const { interviewIds } = request;
      const ids: (string | null)[] = mayHaveUnknown(request) ? [...interviewIds, null] : [...interviewIds];
      return ids.map((interviewId) => ({ externalCustomerId, interviewId }));
    });
    return [...this.earlier, ...own];
  }

  async read(event: HistoryEvent): Promise<void> {
    const started = event.workflowExecutionStartedEventAttributes;
    const scheduled = event.activityTaskScheduledEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes;
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (started) await this.started(started.input?.payloads);
    else if (scheduled?.activityType?.name === 'openSession') {
      await this.requested(String(event.eventId), scheduled.input?.payloads);
    } else if (completed) await this.opened(String(completed.scheduledEventId), completed.result?.payloads);
    else if (failed) this.refused(String(failed.scheduledEventId), failed.failure?.applicationFailureInfo);
    else if (signaled?.signalName === CAPTURE_SIGNALS.sessionStarted) await this.named(signaled.input?.payloads);
  }

  private async started(payloads: Payloads): Promise<void> {
    const input = await this.decoded<{ earlierSessions?: SuspectedOrphan[] }>(payloads, 0);
    const carried = await this.decoded<Carried>(payloads, 1);
    this.earlier = input?.earlierSessions ?? [];
    this.used = carried?.session?.interviewId ?? null;
    for (const attempt of carried?.attempts ?? []) {
      const { externalCustomerId, interviewId, isTakingOver = false, otherIds = [], opensInstead = 0 } = attempt;
      const { isAnswerLost } = attempt;
      const interviewIds = new Set(interviewId === null ? otherIds : [interviewId, ...otherIds]);
      this.requests.set(externalCustomerId, { interviewIds, isAnswerLost, isTakingOver, opensInstead });
    }
  }

  private async requested(eventId: string, payloads: Payloads): Promise<void> {
    const input = await this.decoded<{ externalCustomerId: string; interviewId?: string }>(payloads, 0);
    if (input === null) return;
    const { externalCustomerId, interviewId: takeOver } = input;
    const request = this.requests.get(externalCustomerId) ?? {
      interviewIds: new Set(takeOver === undefined ? [] : [takeOver]),
      isAnswerLost: takeOver === undefined,
      isTakingOver: false,
      opensInstead: 0,
    };
    // Incode may open another session instead of handing one over.
    if (takeOver !== undefined) request.isTakingOver = true;
    this.requests.set(externalCustomerId, request);
    this.calls.set(eventId, { request, takeOver });
  }

  private async opened(eventId: string, payloads: Payloads): Promise<void> {
    const call = this.calls.get(eventId);
    if (!call) return;
    const opened = await this.decoded<{ interviewId: string; earlierRequests?: number }>(payloads, 0);
    if (opened === null) return;
    const { request, takeOver } = call;
    const { interviewId, earlierRequests = 0 } = opened;
    this.used ??= interviewId;
    request.interviewIds.add(interviewId);
    request.isTakingOver = false;
    if (takeOver === undefined) request.isAnswerLost = false;
    else if (interviewId !== takeOver) request.opensInstead += 1 + earlierRequests;
  }

  private refused(eventId: string, failure: RequestFailure): void {
    const { request, takeOver } = this.calls.get(eventId) ?? {};
    if (!request) return;
    // An attempt to take a session over that was aborted fails as if it could be repeated.
    if (takeOver !== undefined) request.isTakingOver = !failure?.nonRetryable;
    // Every other failure says that the request has opened no session.
    else if (failure?.type !== FAILURES.maybeOpened) request.isAnswerLost = false;
  }

  private async named(payloads: Payloads): Promise<void> {
    const named = parseSessionStarted(await this.decoded(payloads, 0));
    if (named) this.requests.get(named.externalCustomerId)?.interviewIds.add(named.interviewId);
  }

  private decoded<T>(payloads: Payloads, index: number): Promise<T | null> {
    if (!payloads || payloads.length <= index) return Promise.resolve(null);
    return decodeFromPayloadsAtIndex<T | null>(this.client.options.loadedDataConverter, index, payloads);
  }
}
