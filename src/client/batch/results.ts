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
  /** The rows of completed shards, in the order of the list. Reads one shard at a time. */
  items: AsyncIterable<BatchItem | CaptureItem>;
}

/** @throws BatchNotFoundError */
export async function batchResults({ temporal: client }: BatchHost, batchId: string): Promise<BatchResults> {
  checkBatchId(batchId);
  const listed = await withTemporalErrors(client, () => listShards(client, batchId));
  if (listed.length === 0) throw new BatchNotFoundError(batchId);
  const shards = listed.sort((a, b) => numberOf(a) - numberOf(b));
  const completed = shards.filter(({ status }) => status.name === 'COMPLETED');
  const of = shards.some(({ memo }) => (memo as Partial<ShardMemo>)?.people !== undefined) ? 'people' : 'sessions';

  async function* items(): AsyncGenerator<BatchItem | CaptureItem> {
    let first = 0;
    for (const shard of shards) {
      const { sessions, people }: Partial<ShardMemo> = shard.memo ?? {};
      if (shard.status.name === 'COMPLETED') yield* await withTemporalErrors(client, () => itemsOf(shard, first));
      first += Number(sessions ?? people ?? 0);
    }
  }

  async function itemsOf({ workflowId, runId }: WorkflowExecutionInfo, first: number) {
    const handle = client.workflow.getHandle<() => Promise<{ rows: (BatchRow & CaptureRow)[] }>>(workflowId, runId);
    const { rows } = await handle.result();
    const input = await inputOf<Partial<BatchInput & CaptureBatchInput>>(client, { workflowId, runId });
    return rows.map((row, at): BatchItem | CaptureItem => {
      const index = first + at;
      const reference = input?.people?.[at]?.reference;
      return reference === undefined
        ? { index, interviewId: input?.sessions?.[at]?.interviewId ?? '', ...row }
        : { index, reference, ...row };
    });
  }

  return {
    of,
    shards: { completed: completed.length, notCompleted: shards.length - completed.length },
    items: items(),
  };
}

function numberOf({ workflowId }: WorkflowExecutionInfo): number {
  return Number(workflowId.slice(workflowId.lastIndexOf('/') + 1));
}
