import type { WorkflowExecutionInfo } from '@temporalio/client';
import { BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW, SEARCH_ATTRIBUTES } from '../../contract/index.js';
import { withTemporalErrors } from '../temporal-failure.js';
import type { ShardMemo } from './open-shard.js';
import type { BatchHost, BatchStatus } from './types.js';

/** What Temporal lists of a batch, without a query to a worker. */
export interface ListedBatch {
  batchId: string;
  of: 'sessions' | 'people';
  /** Sessions or people that the server has accepted. */
  total: number;
  shards: BatchStatus['shards'];
  /** ISO 8601. @format date-time */
  startedAt: string;
  /** `null` while a shard runs. @format date-time */
  closedAt: string | null;
}

/** A batch of 50,000 sessions has 25 shards. */
const MAX_SHARDS = 1_000;

const OF_BATCHES = `(WorkflowType = '${BATCH_WORKFLOW}' OR WorkflowType = '${CAPTURE_BATCH_WORKFLOW}')`;

/**
 * Lists batches, those with a running shard first, by their latest 1,000 shards.
 *
 * @param status `open`: only those with a running shard. The counts then leave out shards that have ended
 */
export async function listBatches(
  { temporal: client }: BatchHost,
  status: 'open' | undefined,
): Promise<{ batches: ListedBatch[]; isCut: boolean }> {
  const onlyOpen = status === 'open' ? ` AND ExecutionStatus = 'Running'` : ` AND ExecutionStatus != 'ContinuedAsNew'`;
  const batches = new Map<string, ListedBatch>();
  const seen = new Set<string>();
  const isCut = await withTemporalErrors(client, async () => {
    for await (const shard of client.workflow.list({ query: `${OF_BATCHES}${onlyOpen}`, pageSize: MAX_SHARDS })) {
      if (seen.size === MAX_SHARDS) return true;
      // The first one is the latest run, because the server lists running and later ones first.
      if (!seen.has(shard.workflowId)) add(batches, shard);
      seen.add(shard.workflowId);
    }
    return false;
  });
  const isOpen = ({ closedAt }: ListedBatch) => Number(closedAt === null);
  const sorted = [...batches.values()].sort(
    (a, b) => isOpen(b) - isOpen(a) || Date.parse(b.startedAt) - Date.parse(a.startedAt),
  );
  return { batches: sorted, isCut };
}

function add(batches: Map<string, ListedBatch>, shard: WorkflowExecutionInfo): void {
  const batchId = String(shard.searchAttributes[SEARCH_ATTRIBUTES.batchId]?.[0] ?? '');
  const { sessions, people }: Partial<ShardMemo> = shard.memo ?? {};
  const known = batches.get(batchId);
  const batch: ListedBatch = known ?? {
    batchId,
    of: people === undefined ? 'sessions' : 'people',
    total: 0,
    shards: { running: 0, completed: 0, ended: 0 },
    startedAt: shard.startTime.toISOString(),
    closedAt: shard.closeTime?.toISOString() ?? null,
  };
  batches.set(batchId, batch);
  batch.total += Number(sessions ?? people ?? 0);
  batch.shards[shard.closeTime === undefined ? 'running' : shard.status.name === 'COMPLETED' ? 'completed' : 'ended'] +=
    1;
  const [startedAt, closedAt] = [shard.startTime.toISOString(), shard.closeTime?.toISOString() ?? null];
  if (startedAt < batch.startedAt) batch.startedAt = startedAt;
  if (closedAt === null || batch.closedAt === null) batch.closedAt = null;
  else if (closedAt > batch.closedAt) batch.closedAt = closedAt;
}
