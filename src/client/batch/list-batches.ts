import type { Client } from '@temporalio/client';
import { BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW } from '../../contract/index.js';
import { decodeFromPayloadsAtIndex } from '../../temporal/sdk-internals.js';
import { type Listed, listedOf } from '../list/listed.js';
import { listPage, type RawExecution } from '../list/page.js';
import type { BatchHost, BatchStatus } from './types.js';

/** What Temporal lists of a batch, without a query to a worker. */
export interface ListedBatch {
  batchId: string;
  of: 'sessions' | 'people';
  /** Sessions or people that the server has accepted, without shards that this process has no key for. */
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
  const { items, cursor } = await listPage(client, `${OF_BATCHES}${onlyOpen}`, { limit: MAX_SHARDS });
  for (const item of items) {
    const shard = listedOf(item);
    // The first one is the latest run, because the server lists running and later ones first.
    if (!seen.has(shard.workflowId)) add(batches, shard, await acceptedBy(client, item));
    seen.add(shard.workflowId);
  }
  const isOpen = ({ closedAt }: ListedBatch) => Number(closedAt === null);
  const sorted = [...batches.values()].sort(
    (a, b) => isOpen(b) - isOpen(a) || Date.parse(b.startedAt) - Date.parse(a.startedAt),
  );
  return { batches: sorted, isCut: cursor !== null };
}

/** How many sessions or people a shard has. A memo that somebody else has encrypted must not hide the other batches. */
async function acceptedBy(client: Client, { type, memo }: RawExecution): Promise<Accepted> {
  const of = type?.name === CAPTURE_BATCH_WORKFLOW ? 'people' : 'sessions';
  const payload = memo?.fields?.[of];
  if (!payload) return { of, count: 0 };
  try {
    return { of, count: await decodeFromPayloadsAtIndex<number>(client.options.loadedDataConverter, 0, [payload]) };
  } catch {
    return { of, count: 0 };
  }
}

interface Accepted {
  of: ListedBatch['of'];
  count: number;
}

function add(batches: Map<string, ListedBatch>, shard: Listed, { of, count }: Accepted): void {
  const { batchId: listedId, status, startedAt, closedAt } = shard;
  const batchId = listedId ?? '';
  const known = batches.get(batchId);
  const batch: ListedBatch = known ?? {
    batchId,
    of,
    total: 0,
    shards: { running: 0, completed: 0, ended: 0 },
    startedAt,
    closedAt,
  };
  batches.set(batchId, batch);
  batch.total += count;
  batch.shards[status === 'running' || status === 'completed' ? status : 'ended'] += 1;
  if (startedAt < batch.startedAt) batch.startedAt = startedAt;
  if (closedAt === null || batch.closedAt === null) batch.closedAt = null;
  else if (closedAt > batch.closedAt) batch.closedAt = closedAt;
}
