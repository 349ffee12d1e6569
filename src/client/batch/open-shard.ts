import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { isAcceptedOnly } from '../../contract/batch.js';
import { countedItems } from '../../contract/counted.js';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import { SEARCH_ATTRIBUTES } from '../../contract/index.js';
import { describeFailure } from '../failures.js';
import { isCompleted, isRunning, type ReusePolicy } from '../starting.js';
import { BatchMismatchError, BatchShardError } from './errors.js';
import type { BatchKind, ItemRow, StartedAfter } from './kind.js';
import { patiently } from './patience.js';
import type { Shard } from './shards.js';

/** Settings shared by all shards of a batch. */
export interface ShardContext<Item, Row extends ItemRow, Result = unknown> {
  client: Client;
  batchId: string;
  kind: BatchKind<Item, Row, Result>;
  taskQueue: string;
  retryFailed: boolean;
  /** Number of the last shard on the server when this run began; -1 if there was none. */
  lastKnown: number;
  /** Number of items in the whole list; `null` if unknown. */
  total: number | null;
  signal: AbortSignal;
}

/** A shard that the server has accepted. */
export interface OpenedShard<Row> {
  /** What existed before: nothing, a running shard, or a shard with results. */
  found: 'nothing' | 'running' | 'completed';
  rows: Promise<Row[]>;
  /** Number of items in the list that the shard was started with, if it was known. */
  knownTotal?: number | undefined;
}

/**
 * Starts the shard or attaches to it. Restarts a shard that ended without results.
 *
 * @throws BatchMismatchError
 */
export async function openShard<Item, Row extends ItemRow>(
  context: ShardContext<Item, Row>,
  shard: Shard<Item>,
): Promise<OpenedShard<Row>> {
  // If a later shard exists, this one may have existed and been removed, with items already begun.
  const mayBeKnown = shard.number <= context.lastKnown;
  const existing = mayBeKnown ? await describe(context, shard) : undefined;
  if (existing) return attach(context, shard, existing);
  const isStarted = await start(context, shard, 'REJECT_DUPLICATE', mayBeKnown ? { mayHaveBegun: true } : {});
  if (isStarted) return { found: 'nothing', rows: rowsOf(context, shard) };
  // Another process started it first, or the answer to an earlier attempt was lost.
  return attach(context, shard, await described(context, shard));
}

async function attach<Item, Row extends ItemRow>(
  context: ShardContext<Item, Row>,
  shard: Shard<Item>,
  existing: WorkflowExecutionDescription,
): Promise<OpenedShard<Row>> {
  const { total: knownTotal } = checkSame(context, shard, existing);
  return { ...(await attachTo(context, shard, existing)), knownTotal };
}

async function attachTo<Item, Row extends ItemRow>(
  context: ShardContext<Item, Row>,
  shard: Shard<Item>,
  existing: WorkflowExecutionDescription,
): Promise<OpenedShard<Row>> {
  if (isRunning(existing)) return { found: 'running', rows: rowsOf(context, shard) };
  if (!isCompleted(existing)) return restart(context, shard, existing);
  const rows = rowsOf(context, shard);
  if (!context.retryFailed) return { found: 'completed', rows };
  const known = await rows;
  if (!known.some(({ failure }) => failure)) return { found: 'completed', rows };
  await start(context, shard, 'ALLOW_DUPLICATE', {
    earlier: known.map((row) => (row.failure && !isAcceptedOnly(row) ? null : row)),
  });
  // If the start was refused, another process has just restarted the shard.
  return { found: 'running', rows: rowsOf(context, shard) };
}

async function restart<Item, Row extends ItemRow>(
  context: ShardContext<Item, Row>,
  shard: Shard<Item>,
  { status, closeTime }: WorkflowExecutionDescription,
): Promise<OpenedShard<Row>> {
  if (status.name === 'TERMINATED' || status.name === 'TIMED_OUT') {
    // A worker continues with a terminated shard's calls until its next heartbeat.
    const remaining = (closeTime?.getTime() ?? 0) + HEARTBEAT_TIMEOUT_MS - Date.now();
    // Limited, because the server's clock may differ from ours.
    if (remaining > 0) await sleep(Math.min(remaining, HEARTBEAT_TIMEOUT_MS), undefined, { signal: context.signal });
  }
  await start(context, shard, 'ALLOW_DUPLICATE_FAILED_ONLY', { mayHaveBegun: true });
  return { found: 'running', rows: rowsOf(context, shard) };
}

const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);

/** @returns `false` if the shard already exists and the policy does not replace it */
async function start<Item, Row extends ItemRow>(
  { client, batchId, kind, taskQueue, total, signal }: ShardContext<Item, Row>,
  { number, items, contentHash }: Shard<Item>,
  workflowIdReusePolicy: ReusePolicy,
  after: StartedAfter<Row>,
): Promise<boolean> {
  const input = { batchId, shard: number, ...(await kind.inputOf(items, after)) };
  try {
    await patiently(client, signal, () =>
      client.workflow.start(kind.workflowType, {
        workflowId: kind.workflowId(batchId, number),
        taskQueue,
        args: [input],
        staticSummary: `Incode batch ${batchId}, shard ${number}: ${countedItems(items.length, kind.noun)}`,
        typedSearchAttributes: new TypedSearchAttributes([{ key: batchKey, value: batchId }]),
        memo: {
          contentHash,
          plan: kind.planText,
          [kind.noun]: items.length,
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
  /** Number of sessions in the shard. */
  sessions?: number;
  /** Number of people in the shard. */
  people?: number;
  /** Number of items in the whole list, if it was known. */
  total?: number;
}

/** @throws BatchMismatchError */
function checkSame<Item, Row extends ItemRow>(
  { batchId, kind }: ShardContext<Item, Row>,
  shard: Shard<Item>,
  { memo }: WorkflowExecutionDescription,
): Partial<ShardMemo> {
  const known: Partial<ShardMemo> = memo ?? {};
  if (known.contentHash !== shard.contentHash) throw new BatchMismatchError(batchId, shard.number, kind.noun);
  if (known.plan !== kind.planText) throw new BatchMismatchError(batchId, shard.number, 'plan');
  return known;
}

async function rowsOf<Item, Row extends ItemRow>(
  { client, batchId, kind, signal }: ShardContext<Item, Row>,
  { number }: Shard<Item>,
): Promise<Row[]> {
  const handle = client.workflow.getHandle<() => Promise<{ rows: Row[] }>>(kind.workflowId(batchId, number));
  try {
    return (await patiently(client, signal, () => handle.result())).rows;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { type, message } = describeFailure(error.cause);
    throw new BatchShardError(batchId, number, type, message, kind.noun);
  }
}

async function describe<Item, Row extends ItemRow>(
  context: ShardContext<Item, Row>,
  shard: Shard<Item>,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await described(context, shard);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function described<Item, Row extends ItemRow>(
  { client, batchId, kind, signal }: ShardContext<Item, Row>,
  { number }: Shard<Item>,
) {
  const handle = client.workflow.getHandle(kind.workflowId(batchId, number));
  return patiently(client, signal, () => handle.describe());
}
