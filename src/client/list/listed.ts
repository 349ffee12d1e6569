import { defaultPayloadConverter } from '@temporalio/common';
import { captureWorkflowId, onboardingWorkflowId, SEARCH_ATTRIBUTES } from '../../contract/index.js';
import type { WorkflowStatus } from '../status.js';
import type { RawExecution } from './page.js';

/** What Temporal lists of a session or a person, without a query to a worker. */
export interface Listed {
  workflowId: string;
  runId: string;
  status: WorkflowStatus<unknown, unknown>['status'];
  /** The last published stage. Short stages are not published. */
  stage: string | null;
  outcome: string | null;
  batchId: string | null;
  /** ISO 8601. @format date-time */
  startedAt: string;
  /** `null` while it runs. @format date-time */
  closedAt: string | null;
}

export interface ListedSession extends Listed {
  /** Incode's id of the session. */
  interviewId: string;
}

export interface ListedPerson extends Listed {
  /** The caller's own id of the person. */
  reference: string;
}

export function listedSession(raw: RawExecution): ListedSession {
  const listed = listedOf(raw);
  return { interviewId: listed.workflowId.replace(onboardingWorkflowId(''), ''), ...listed };
}

export function listedPerson(raw: RawExecution): ListedPerson {
  const listed = listedOf(raw);
  return { reference: listed.workflowId.replace(captureWorkflowId(''), ''), ...listed };
}

/** What Temporal lists of any workflow of ours. */
export function listedOf({ execution, status, startTime, closeTime, searchAttributes }: RawExecution): Listed {
  const attribute = (name: string): string | null => {
    const payload = searchAttributes?.indexedFields?.[name];
    const value: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
    return String((Array.isArray(value) ? value[0] : value) ?? '') || null;
  };
  return {
    workflowId: execution?.workflowId ?? '',
    runId: execution?.runId ?? '',
    status: STATUSES_BY_NUMBER[Number(status ?? 0)] ?? 'unknown',
    stage: attribute(SEARCH_ATTRIBUTES.stage),
    outcome: attribute(SEARCH_ATTRIBUTES.outcome),
    batchId: attribute(SEARCH_ATTRIBUTES.batchId),
    startedAt: isoTime(startTime) ?? '',
    closedAt: isoTime(closeTime),
  };
}

/** `WorkflowExecutionStatus` of Temporal's API. A run that continued as new, or is paused, counts as running. */
const STATUSES_BY_NUMBER: Record<number, Listed['status']> = {
  1: 'running',
  2: 'completed',
  3: 'failed',
  4: 'cancelled',
  5: 'terminated',
  6: 'running',
  7: 'timedOut',
  8: 'running',
};

type Timestamp = RawExecution['startTime'];

function isoTime(time: Timestamp): string | null {
  if (!time) return null;
  return new Date(Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1_000_000).toISOString();
}
