import {
  CAPTURE_WORKFLOW,
  type CaptureStage,
  ONBOARDING_WORKFLOW,
  type Outcome,
  SEARCH_ATTRIBUTES,
  type Stage,
} from '../../contract/index.js';

export const STATUSES = ['open', 'closed', 'completed', 'failed', 'cancelled', 'terminated', 'timedOut'] as const;
export type ListedStatus = (typeof STATUSES)[number];

export interface Filter {
  /** People instead of sessions. */
  people?: boolean;
  stage?: Stage | CaptureStage;
  outcome?: Outcome;
  batch?: string;
  status?: ListedStatus;
  /** Milliseconds since the start, as for `newerThan`. */
  olderThan?: number;
  newerThan?: number;
}

/** A query for Temporal's visibility store. Without ORDER BY, which not every server supports. */
export function queryFor(
  { people, stage, outcome, batch, status, olderThan, newerThan }: Filter,
  now = Date.now(),
): string {
  const { stage: stageName, outcome: outcomeName, batchId } = SEARCH_ATTRIBUTES;
  return [
    `WorkflowType = ${quoted(people ? CAPTURE_WORKFLOW : ONBOARDING_WORKFLOW)}`,
    // Such a run continues in a new run, which is listed instead.
    `ExecutionStatus != 'ContinuedAsNew'`,
    ...(stage === undefined ? [] : [`${stageName} = ${quoted(stage)}`]),
    ...(outcome === undefined ? [] : [`${outcomeName} = ${quoted(outcome)}`]),
    ...(batch === undefined ? [] : [`${batchId} = ${quoted(batch)}`]),
    ...(status === undefined ? [] : [EXECUTION_STATUS[status]]),
    ...(olderThan === undefined ? [] : [`StartTime < ${quoted(new Date(now - olderThan).toISOString())}`]),
    ...(newerThan === undefined ? [] : [`StartTime > ${quoted(new Date(now - newerThan).toISOString())}`]),
  ].join(' AND ');
}

/** A query for the sessions that the workflows of people have started. */
export function querySessionsOf(workflowIds: string[]): string {
  return `WorkflowType = ${quoted(ONBOARDING_WORKFLOW)} AND ParentWorkflowId IN (${workflowIds.map(quoted).join(', ')})`;
}

const EXECUTION_STATUS: Record<ListedStatus, string> = {
  open: `ExecutionStatus = 'Running'`,
  closed: `ExecutionStatus != 'Running'`,
  completed: `ExecutionStatus = 'Completed'`,
  failed: `ExecutionStatus = 'Failed'`,
  cancelled: `ExecutionStatus = 'Canceled'`,
  terminated: `ExecutionStatus = 'Terminated'`,
  timedOut: `ExecutionStatus = 'TimedOut'`,
};

/** Escapes quotes, because a batch id is free text. */
function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
