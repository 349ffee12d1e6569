import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import {
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchPlan,
  type BatchRow,
  type BatchWorkflow,
  batchWorkflowId,
  resolvePlan,
  SEARCH_ATTRIBUTES,
  type VerifyFirst,
} from '../../contract/index.js';
import { describeFailure } from '../failures.js';
import { isCompleted, isRunning, type ReusePolicy } from '../starting.js';
import { BatchMismatchError, BatchShardError } from './errors.js';
import { patiently } from './patience.js';
import type { Shard } from './shards.js';

/** What all shards of a batch have in common. */
export interface ShardContext {
  client: Client;
  batchId: string;
  plan: BatchPlan;
  taskQueue: string;
  retryFailed: boolean;
  verifyFirst: VerifyFirst;
  /** The last shard that the server knew when this run began; -1 if it knew none. */
  lastKnown: number;
  /** Sessions of the whole list; `null` if that is not known. */
  total: number | null;
  signal: AbortSignal;
}

/** A shard that the server has. */
export interface OpenedShard {
  /** What was there before: nothing, a shard that runs, or one with results. */
  found: 'nothing' | 'running' | 'completed';
  rows: Promise<BatchRow[]>;
  /** How long the list was that the shard was started with, if it tells. */
  knownTotal?: number | undefined;
}

/**
 * Starts the shard, or attaches to it. One that ended without results is started anew.
 *
 * @throws BatchMismatchError
 */
export async function openShard(context: ShardContext, shard: Shard): Promise<OpenedShard> {
  // A shard in front of one that is known has been removed: whoever ran it may have finished its sessions.
  const mayBeKnown = shard.number <= context.lastKnown;
  const existing = mayBeKnown ? await describe(context, shard) : undefined;
  if (existing) return attach(context, shard, existing);
  const verifyFirst = mayBeKnown ? 'settle' : context.verifyFirst;
  const isStarted = await start(context, shard, 'REJECT_DUPLICATE', { verifyFirst });
  if (isStarted) return { found: 'nothing', rows: rowsOf(context, shard) };
  // Somebody else was faster, or an earlier attempt of this start whose answer was lost.
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
  // If it was not started, somebody else has just done the same.
  return { found: 'running', rows: rowsOf(context, shard) };
}

async function restart(
  context: ShardContext,
  shard: Shard,
  { status, closeTime }: WorkflowExecutionDescription,
): Promise<OpenedShard> {
  if (status.name === 'TERMINATED' || status.name === 'TIMED_OUT') {
    // A worker goes on with what was ended from outside until a heartbeat tells it.
    const goneBy = (closeTime?.getTime() ?? 0) + HEARTBEAT_TIMEOUT_MS - Date.now();
    // The server's clock may differ from ours.
    if (goneBy > 0) await sleep(Math.min(goneBy, HEARTBEAT_TIMEOUT_MS), undefined, { signal: context.signal });
  }
  // No row of an earlier run is known, but there may have been one.
  await start(context, shard, 'ALLOW_DUPLICATE_FAILED_ONLY', { verifyFirst: 'settle' });
  return { found: 'running', rows: rowsOf(context, shard) };
}

const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);

/** @returns `false` if there is one already that the policy does not pass over */
async function start(
  { client, batchId, plan, taskQueue, total, signal }: ShardContext,
  { number, sessions, contentHash }: Shard,
  workflowIdReusePolicy: ReusePolicy,
  { earlier, verifyFirst = 'look' }: Pick<BatchInput, 'earlier'> & { verifyFirst?: VerifyFirst },
): Promise<boolean> {
  // Of a session that has its row nothing more is needed; without their tokens there is room for the rows.
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

/** What tells whether a list is the one that the batch was started with. */
export interface ShardMemo extends Record<string, unknown> {
  contentHash: string;
  plan: string;
  sessions: number;
  /** Of the whole list, if that was known. */
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

/** By what it means: `15 minutes` and `15m` are the same plan, and so is none. */
function planText(plan: BatchPlan): string {
  const { close, score, scoreDeadlineMs } = resolvePlan(plan);
  return JSON.stringify({ close, score, scoreDeadlineMs });
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
