import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import {
  BATCH_WORKFLOW,
  CAPTURE_BATCH_WORKFLOW,
  CAPTURE_WORKFLOW,
  ONBOARDING_WORKFLOW,
  SEARCH_ATTRIBUTES,
} from '../../contract/index.js';
import type { LONG_CAPTURE_STAGES, LONG_STAGES } from '../../contract/long-stages.js';

/**
 * Lists the latest run of each shard. Shards started within the last second may be missing.
 *
 * @param batchId already checked, because it becomes part of a query
 */
export async function listShards(client: Client, batchId: string): Promise<WorkflowExecutionInfo[]> {
  const latest = new Map<string, WorkflowExecutionInfo>();
  for await (const shard of client.workflow.list({ query: queryFor(batchId) })) {
    const known = latest.get(shard.workflowId);
    if (!known || known.startTime < shard.startTime) latest.set(shard.workflowId, shard);
  }
  return [...latest.values()];
}

export async function listRunningShards(client: Client, batchId: string): Promise<string[]> {
  const ids: string[] = [];
  const query = `${queryFor(batchId)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

/** Lists the running workflows of people whom the batch has begun. People whom another caller has started are not of the batch. */
export async function listBegunPeople(client: Client, batchId: string): Promise<string[]> {
  const ids: string[] = [];
  const query = `${queryFor(batchId, CAPTURE_WORKFLOW)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

/** Lists some of the people whom the batch has begun, and of their sessions. */
export async function listRunningOfPeople(client: Client, batchId: string, most: number): Promise<string[]> {
  const ids: string[] = [];
  const types = [CAPTURE_WORKFLOW, ONBOARDING_WORKFLOW];
  const query = `${queryFor(batchId, ...types)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query, pageSize: most })) {
    if (ids.push(workflowId) === most) break;
  }
  return ids;
}

/** Counts the people whom the batch has begun, or their sessions, that are in this stage. */
export async function countInStage(
  client: Client,
  batchId: string,
  workflowType: string,
  stage: (typeof LONG_CAPTURE_STAGES)[number] | (typeof LONG_STAGES)[number],
): Promise<number> {
  const ofBatch = queryFor(batchId, workflowType);
  const query = `${ofBatch} AND ExecutionStatus = 'Running' AND ${SEARCH_ATTRIBUTES.stage} = '${stage}'`;
  return (await client.workflow.count(query)).count;
}

/**
 * @param workflowType only shards of this type
 * @returns the highest shard number; -1 if the server knows no shard of the batch
 */
export async function lastKnownShard(client: Client, batchId: string, workflowType?: string): Promise<number> {
  let last = -1;
  const query = queryFor(batchId, ...(workflowType === undefined ? [] : [workflowType]));
  for await (const { workflowId } of client.workflow.list({ query })) {
    last = Math.max(last, Number(workflowId.slice(workflowId.lastIndexOf('/') + 1)));
  }
  return last;
}

function queryFor(batchId: string, ...workflowTypes: string[]): string {
  const types = workflowTypes.length === 0 ? [BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW] : workflowTypes;
  const ofTypes = types.map((type) => `WorkflowType = '${type}'`).join(' OR ');
  return `${SEARCH_ATTRIBUTES.batchId} = '${batchId}' AND (${ofTypes})`;
}
