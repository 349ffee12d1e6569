import type { WorkflowExecutionInfo } from '@temporalio/client';
import {
  type BatchInput,
  type BatchRow,
  type CaptureBatchInput,
  type CaptureRow,
  checkBatchId,
} from '../../contract/index.js';
import { inputOf } from '../../temporal/input.js';
import { withTemporalErrors } from '../temporal-failure.js';
import type { CaptureItem } from './capture-types.js';
import { BatchNotFoundError } from './errors.js';
import { listShards } from './list.js';
import type { ShardMemo } from './open-shard.js';
import type { BatchHost, BatchItem } from './types.js';

/** The results of a batch that the server has, without its list. */
export interface BatchResults {
  of: 'sessions' | 'people';
  shards: { completed: number; notCompleted: number };
  /** Whether the server has the whole list. It has a part while the list is handed over, or after the retention has removed some. */
  isWhole: boolean;
  /** The rows of completed shards, in the order of the list. Reads one shard at a time. */
  items: AsyncIterable<BatchResult>;
}

type Unplaced<Item> = Item extends unknown ? Omit<Item, 'index'> : never;

/** A row without its position in the list, which is not known behind a missing shard. */
export type BatchResult = Unplaced<BatchItem | CaptureItem>;

/** @throws BatchNotFoundError */
export async function batchResults({ temporal: client }: BatchHost, batchId: string): Promise<BatchResults> {
  checkBatchId(batchId);
  const listed = await withTemporalErrors(client, () => listShards(client, batchId));
  if (listed.length === 0) throw new BatchNotFoundError(batchId);
  const shards = listed.sort((a, b) => numberOf(a) - numberOf(b));
  const completed = shards.filter(({ status }) => status.name === 'COMPLETED');
  const of = shards.some(({ memo }) => (memo as Partial<ShardMemo>)?.people !== undefined) ? 'people' : 'sessions';

  async function* items(): AsyncGenerator<BatchResult> {
    for (const shard of completed) yield* await withTemporalErrors(client, () => itemsOf(shard));
  }

  async function itemsOf({ workflowId, runId }: WorkflowExecutionInfo) {
    const handle = client.workflow.getHandle<() => Promise<{ rows: (BatchRow & CaptureRow)[] }>>(workflowId, runId);
    const { rows } = await handle.result();
    const input = await inputOf<Partial<BatchInput & CaptureBatchInput>>(client, { workflowId, runId });
    return rows.map((row, at): BatchResult => {
      const reference = input?.people?.[at]?.reference;
      return reference === undefined
        ? { interviewId: input?.sessions?.[at]?.interviewId ?? '', ...row }
        : { reference, ...row };
    });
  }

  return {
    of,
    shards: { completed: completed.length, notCompleted: shards.length - completed.length },
    isWhole: isWhole(shards),
    items: items(),
  };
}

/** @param shards sorted by number */
function isWhole(shards: WorkflowExecutionInfo[]): boolean {
  const memos = shards.map(({ memo }): Partial<ShardMemo> => memo ?? {});
  const total = memos.find((memo) => memo.total !== undefined)?.total;
  const items = memos.reduce((sum, { sessions, people }) => sum + Number(sessions ?? people ?? 0), 0);
  return shards.every((shard, at) => numberOf(shard) === at) && (total === undefined || items === Number(total));
}

function numberOf({ workflowId }: WorkflowExecutionInfo): number {
  return Number(workflowId.slice(workflowId.lastIndexOf('/') + 1));
}
