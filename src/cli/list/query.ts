import { ONBOARDING_WORKFLOW, type Outcome, SEARCH_ATTRIBUTES, type Stage } from '../../contract/index.js';

export const STATUSES = ['open', 'closed', 'completed', 'failed', 'cancelled', 'terminated', 'timedOut'] as const;
export type ListedStatus = (typeof STATUSES)[number];

export interface Filter {
  stage?: Stage;
  outcome?: Outcome;
  batch?: string;
  status?: ListedStatus;
  /** In milliseconds since the start, as the next. */
  olderThan?: number;
  newerThan?: number;
}

/** A query of Temporal's visibility store. Without ORDER BY: not every server has it. */
export function queryFor({ stage, outcome, batch, status, olderThan, newerThan }: Filter, now = Date.now()): string {
  const { stage: stageName, outcome: outcomeName, batchId } = SEARCH_ATTRIBUTES;
  return [
    `WorkflowType = ${quoted(ONBOARDING_WORKFLOW)}`,
    // Such a run is not the session's end: the next one goes on.
    `ExecutionStatus != 'ContinuedAsNew'`,
    ...(stage === undefined ? [] : [`${stageName} = ${quoted(stage)}`]),
    ...(outcome === undefined ? [] : [`${outcomeName} = ${quoted(outcome)}`]),
    ...(batch === undefined ? [] : [`${batchId} = ${quoted(batch)}`]),
    ...(status === undefined ? [] : [EXECUTION_STATUS[status]]),
    ...(olderThan === undefined ? [] : [`StartTime < ${quoted(new Date(now - olderThan).toISOString())}`]),
    ...(newerThan === undefined ? [] : [`StartTime > ${quoted(new Date(now - newerThan).toISOString())}`]),
  ].join(' AND ');
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

/** A batch's id may be anything that a service has chosen: it must not end the string that it stands in. */
function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
