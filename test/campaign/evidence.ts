import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { describeFailure } from '../../src/client/failures.js';
import {
  BATCH_WORKFLOW,
  batchWorkflowId,
  CAPTURE_BATCH_WORKFLOW,
  captureBatchWorkflowId,
  captureWorkflowId,
  onboardingWorkflowId,
} from '../../src/contract/index.js';
import { claimsWorkflowId } from '../../src/contract/names.js';
import type { Call } from '../../src/testing/index.js';
import type { History } from '../support/history.js';
import { decryptedTextOf, failedTasks, openActivities, textOf } from '../support/history.js';
import type { BatchRunner } from './batches.js';
import type { People } from './people.js';
import { addSessionsOfPeople, peopleEvidence, personFacts, reportOf } from './people-evidence.js';
import type { PeopleRunner } from './people-lists.js';
import type { PersonRun } from './people-record.js';
import type { Evidence, RunStatus, SessionEvidence } from './record.js';
import type { Sessions } from './sessions.js';
import { RESET_REASON, SECRET_MARKS } from './types.js';
import type { CampaignWorld } from './world.js';

/** Those whom the campaign has worked with. */
interface Played {
  sessions: Sessions;
  people: People;
  batches: BatchRunner[];
  lists: PeopleRunner[];
}

/** Collects everything from the server and the simulated Incode after the campaign. */
export async function collect(
  world: CampaignWorld,
  { sessions, people, batches, lists }: Played,
  facts: Pick<Evidence, 'tokenSource' | 'problems' | 'interruptions'>,
): Promise<Evidence> {
  const texts: Record<string, string> = await world.logs();
  const payloads: Record<string, string> = {};
  const runs = new Map<string, PersonRun[]>();
  for await (const info of world.onboarding.temporal.workflow.list()) {
    const { workflowId } = info;
    const { summary, text, decrypted } = await summaryOf(world.onboarding.temporal, info);
    runs.set(workflowId, [...(runs.get(workflowId) ?? []), summary]);
    texts[`history of ${workflowId}`] = (texts[`history of ${workflowId}`] ?? '') + text;
    payloads[workflowId] = (payloads[workflowId] ?? '') + decrypted;
  }
  addSessionsOfPeople(sessions, people, runs);
  const callsBy = new Map<string | null, Call[]>();
  for (const call of world.simulator.calls)
    callsBy.set(call.interviewId, [...(callsBy.get(call.interviewId) ?? []), call]);
  const runnersOf = new Map<string, BatchRunner[]>();
  for (const runner of batches)
    for (const { interviewId } of runner.batch.sessions)
      runnersOf.set(interviewId, [...(runnersOf.get(interviewId) ?? []), runner]);
  const evidence = [...sessions.records.values()].flatMap((record): SessionEvidence[] => {
    const { interviewId } = record.session;
    const own = runs.get(onboardingWorkflowId(interviewId)) ?? [];
    return (runnersOf.get(interviewId) ?? [undefined]).map((runner) => ({
      record,
      runs: own.sort((a, b) => a.startedAt - b.startedAt),
      row: runner?.rows?.get(interviewId) ?? null,
      rowFrom: runner?.from ?? 0,
      rowTo: runner?.to ?? 0,
      incode: { view: world.simulator.session(interviewId), calls: callsBy.get(interviewId) ?? [] },
    }));
  });
  const runsOf = (prefix: string) =>
    [...runs.values()].flat().filter(({ workflowId }) => workflowId.startsWith(prefix));
  return {
    ...facts,
    sessions: evidence,
    shards: runsOf(batchWorkflowId('', 0).replace('/0', '')),
    people: peopleEvidence(world, people, lists, runs, callsBy),
    peopleShards: runsOf(captureBatchWorkflowId('', 0).replace('/0', '')),
    claims: runsOf(claimsWorkflowId('')),
    stalls: world.stalls.all,
    texts,
    payloads,
    secrets: {
      ...SECRET_MARKS,
      ...Object.fromEntries(world.keys.map((key, index) => [`encryption key ${index}`, key])),
    },
  };
}

const LISTS: readonly string[] = [BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW];

const STATUSES: Record<string, RunStatus> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timedOut',
  CONTINUED_AS_NEW: 'continued',
};

interface Seen {
  summary: PersonRun;
  text: string;
  decrypted: string;
}

async function summaryOf(client: Client, info: WorkflowExecutionInfo): Promise<Seen> {
  const { workflowId, runId } = info;
  const handle = client.workflow.getHandle(workflowId, runId, { followRuns: false });
  // A cluster's list may lag behind.
  const { startTime, closeTime, ...known } = info.status.name === 'RUNNING' ? await handle.describe() : info;
  const status = STATUSES[known.status.name] ?? 'unknown';
  const history = await handle.fetchHistory();
  const decrypted = await decryptedTextOf(client, history.events);
  const summary: PersonRun = {
    workflowId,
    runId,
    status,
    startedAt: startTime.getTime(),
    closedAt: closeTime?.getTime() ?? null,
    result: null,
    failure: null,
    failedTasks: failedTasks(history).filter((message) => !isOurDoing(message)),
    openActivities: status === 'running' ? [] : openActivities(history),
    outline: outlineOf(history),
    asked: [],
    report: null,
    uploadAttempts: { front: 0, back: 0, selfie: 0 },
  };
  if (workflowId.startsWith(captureWorkflowId(''))) {
    // Without signals, because a webhook may name a session of an earlier run, which this run has not asked for.
    const own = await decryptedTextOf(client, (history.events ?? []).filter(isOfWorkflow));
    Object.assign(summary, personFacts(history, workflowId, own));
  }
  // The client that ran the batch knows the shard's rows.
  if (!LISTS.includes(info.type) && ['completed', 'failed'].includes(status)) {
    try {
      summary.result = await handle.result();
      summary.report = reportOf(summary.result);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { type, message, details } = describeFailure(error.cause);
      summary.failure = { type, message };
      summary.report = reportOf(details);
    }
  }
  return { summary, text: textOf([history.events, info.raw]), decrypted };
}

/** Has what the workflow itself knows: the record of the run before, or the input of an activity. */
function isOfWorkflow(event: NonNullable<History['events']>[number]): boolean {
  return Boolean(event.workflowExecutionStartedEventAttributes ?? event.activityTaskScheduledEventAttributes);
}

/** Failed tasks that are expected: a reset records one, and a worker whose server was killed while it read a history. */
function isOurDoing(message: string): boolean {
  return message === RESET_REASON || /^Fetching history failed: .*transport error/.test(message);
}

function outlineOf({ events }: History): string[] {
  return (events ?? []).map((event) => {
    const [name, attributes] = Object.entries(event).find(([key, value]) => key.endsWith('Attributes') && value) ?? [];
    const { activityType, signalName, attempt, acceptedRequest } = (attributes ?? {}) as {
      activityType?: { name?: string };
      signalName?: string;
      attempt?: number;
      acceptedRequest?: { input?: { name?: string } };
    };
    const about =
      activityType?.name ?? signalName ?? acceptedRequest?.input?.name ?? (attempt ? `attempt ${attempt}` : '');
    const at = event.eventTime
      ? new Date(Number(event.eventTime.seconds) * 1_000 + (event.eventTime.nanos ?? 0) / 1e6)
      : null;
    return `${at?.toISOString() ?? ''} ${name?.replace('EventAttributes', '') ?? 'unknown'} ${about}`.trim();
  });
}
