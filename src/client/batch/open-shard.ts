import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { resolveBatchPlan } from '../../contract/batch.js';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import {
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchPlan,
  type BatchRow,
  type BatchWorkflow,
  batchWorkflowId,
  SEARCH_ATTRIBUTES,
  type VerifyFirst,
} from '../../contract/index.js';
import { describeFailure } from '../failures.js';
import { isCompleted, isRunning, type ReusePolicy } from '../starting.js';
import { BatchMismatchError, BatchShardError } from './errors.js';
import { patiently } from './patience.js';
import type { Shard } from './shards.js';

/** Settings shared by all shards of a batch. */
export interface ShardContext {
  client: Client;
  batchId: string;
  plan: BatchPlan;
  taskQueue: string;
  retryFailed: boolean;
  verifyFirst: VerifyFirst;
  /** Number of the last shard on the server when this run began; -1 if there was none. */
  lastKnown: number;
  /** Number of sessions in the whole list; `null` if unknown. */
  total: number | null;
  signal: AbortSignal;
}

/** A shard that the server has accepted. */
export interface OpenedShard {
  /** What existed before: nothing, a running shard, or a shard with results. */
  found: 'nothing' | 'running' | 'completed';
  rows: Promise<BatchRow[]>;
  /** Number of sessions in the list that the shard was started with, if it was known. */
  knownTotal?: number | undefined;
}

/**
 * Starts the shard or attaches to it. Restarts a shard that ended without results.
 *
 * @throws BatchMismatchError
 */
export async function openShard(context: ShardContext, shard: Shard): Promise<OpenedShard> {
  // If a later shard exists, this one may have existed and been removed, with sessions already finished.
  const mayBeKnown = shard.number <= context.lastKnown;
  const existing = mayBeKnown ? await describe(context, shard) : undefined;
  if (existing) return attach(context, shard, existing);
  const verifyFirst = mayBeKnown ? 'settle' : context.verifyFirst;
  const isStarted = await start(context, shard, 'REJECT_DUPLICATE', { verifyFirst });
  if (isStarted) return { found: 'nothing', rows: rowsOf(context, shard) };
  // Another process started it first, or the answer to an earlier attempt was lost.
  return attach(context, shard, await described(context, shard));
}

async function attach(
  context: ShardContext,
  shard: Shard,
  existing: WorkflowExecutionDescription,
): Promise<OpenedShard> {
  const { total: knownTotal } = checkSame(context, shard, existing);
  return { ...(await attachTo(context, shard, existing)), knownTotal };
}

async function attachTo(
  context: ShardContext,
  shard: Shard,
  existing: WorkflowExecutionDescription,
): Promise<OpenedShard> {
  if (isRunning(existing)) return { found: 'running', rows: rowsOf(context, shard) };
  if (!isCompleted(existing)) return restart(context, shard, existing);
  const rows = rowsOf(context, shard);
  if (!context.retryFailed) return { found: 'completed', rows };
  const known = await rows;
  if (!known.some(({ failure }) => failure)) return { found: 'completed', rows };
  await start(context, shard, 'ALLOW_DUPLICATE', { earlier: known.map((row) => (row.failure ? null : row)) });
  // If the start was refused, another process has just restarted the shard.
  return { found: 'running', rows: rowsOf(context, shard) };
}

async function restart(
  context: ShardContext,
  shard: Shard,
  { status, closeTime }: WorkflowExecutionDescription,
): Promise<OpenedShard> {
  if (status.name === 'TERMINATED' || status.name === 'TIMED_OUT') {
    // A worker continues with a terminated shard's calls until its next heartbeat.
    const remaining = (closeTime?.getTime() ?? 0) + HEARTBEAT_TIMEOUT_MS - Date.now();
    // Limited, because the server's clock may differ from ours.
    if (remaining > 0) await sleep(Math.min(remaining, HEARTBEAT_TIMEOUT_MS), undefined, { signal: context.signal });
  }
  // The earlier run left no rows, but it may have finished sessions.
  await start(context, shard, 'ALLOW_DUPLICATE_FAILED_ONLY', { verifyFirst: 'settle' });
  return { found: 'running', rows: rowsOf(context, shard) };
}

const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);

/** @returns `false` if the shard already exists and the policy does not replace it */
async function start(
  { client, batchId, plan, taskQueue, total, signal }: ShardContext,
  { number, sessions, contentHash }: Shard,
  workflowIdReusePolicy: ReusePolicy,
  { earlier, verifyFirst = 'look' }: Pick<BatchInput, 'earlier'> & { verifyFirst?: VerifyFirst },
): Promise<boolean> {
  // Sessions that already have a row need no token. Leaving the tokens out makes room for the rows.
  const needed = sessions.map((session, at) => (earlier?.[at] ? { interviewId: session.interviewId } : session));
  const before = { ...(earlier ? { earlier } : {}), ...(verifyFirst === 'look' ? {} : { verifyFirst }) };
  const input: BatchInput = { batchId, shard: number, sessions: needed, plan, ...before };
  try {
    await patiently(client, signal, () =>
      client.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
        workflowId: batchWorkflowId(batchId, number),
        taskQueue,
        args: [input],
        staticSummary: `Incode batch ${batchId}, shard ${number}: ${sessions.length} sessions`,
        typedSearchAttributes: new TypedSearchAttributes([{ key: batchKey, value: batchId }]),
        memo: {
          contentHash,
          plan: planText(plan),
          sessions: sessions.length,
          ...(total === null ? {} : { total }),
        } satisfies ShardMemo,
        workflowIdReusePolicy,
        workflowIdConflictPolicy: 'FAIL',
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** Identifies the list and the plan that a shard was started with. */
export interface ShardMemo extends Record<string, unknown> {
  contentHash: string;
  plan: string;
  sessions: number;
  /** Number of sessions in the whole list, if it was known. */
  total?: number;
}

/** @throws BatchMismatchError */
function checkSame(
  { batchId, plan }: ShardContext,
  shard: Shard,
  { memo }: WorkflowExecutionDescription,
): Partial<ShardMemo> {
  const known: Partial<ShardMemo> = memo ?? {};
  if (known.contentHash !== shard.contentHash) throw new BatchMismatchError(batchId, shard.number, 'sessions');
  if (known.plan !== planText(plan)) throw new BatchMismatchError(batchId, shard.number, 'plan');
  return known;
}

/** Normalized, so that equivalent plans are equal: `15 minutes` and `15m`, or no plan and the defaults. */
function planText(plan: BatchPlan): string {
  return JSON.stringify(resolveBatchPlan(plan));
}

async function rowsOf({ client, batchId, signal }: ShardContext, { number }: Shard): Promise<BatchRow[]> {
  const handle = client.workflow.getHandle<BatchWorkflow>(batchWorkflowId(batchId, number));
  try {
    return (await patiently(client, signal, () => handle.result())).rows;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { type, message } = describeFailure(error.cause);
    throw new BatchShardError(batchId, number, type, message);
  }
}

async function describe(context: ShardContext, shard: Shard): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await described(context, shard);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function described({ client, batchId, signal }: ShardContext, { number }: Shard) {
  const handle = client.workflow.getHandle(batchWorkflowId(batchId, number));
  return patiently(client, signal, () => handle.describe());
}
