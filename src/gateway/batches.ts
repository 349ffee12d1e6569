import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listBatches } from '../client/batch/list-batches.js';
import { type BatchResult, batchResults } from '../client/batch/results.js';
import { polledProgress, type ShardCounts } from '../client/batch/status.js';
import { type BatchStatus, type OnboardingClient, pauseBatch, resumeBatch, stopBatch } from '../client/index.js';
import { checkBatchId } from '../contract/index.js';
import type { Caller } from './access.js';
import { fieldsOf, oneOf, queryOf } from './body.js';
import { type RequestContext, route } from './guard.js';
import { LIST_FORMATS, type ListTools } from './lists.js';
import { OPERATIONS } from './operations.js';
import { GatewayProblem, problemOf } from './problems.js';
import type { BatchList, ShardsSignaled, StopRequested } from './types.js';
import { finishView } from './views.js';

export function batchRoutes(app: FastifyInstance, client: OnboardingClient, lists: ListTools): void {
  const counts = recentCounts();
  route(app, 'listBatches', async (request): Promise<BatchList> => {
    const { status } = queryOf(request, OPERATIONS.listBatches.query);
    const { batches, isCut } = await listBatches(client, oneOf('status', status, ['open']));
    return { items: batches, isCut };
  });

  route(app, 'getBatch', async (request, _reply, context): Promise<BatchStatus> => {
    const batchId = batchOf(request, context);
    return polledProgress(client, batchId, counts(batchId));
  });

  route(app, 'getBatchResults', async (request, reply, context) => {
    const batchId = batchOf(request, context);
    const { format, partial } = queryOf(request, OPERATIONS.getBatchResults.query);
    const as = oneOf('format', format, LIST_FORMATS) ?? 'ndjson';
    const acceptsPart = oneOf('partial', partial, ['true', 'false']) === 'true';
    const { of, shards, isWhole, items } = await batchResults(client, batchId);
    if (shards.notCompleted > 0 && !acceptsPart) {
      const all = shards.completed + shards.notCompleted;
      throw new GatewayProblem(
        'BatchUnfinished',
        `Batch ${batchId}: ${shards.completed} of ${all} parts are done. Ask again later, or with partial=true`,
      );
    }
    if (!isWhole && !acceptsPart) {
      const detail = `Batch ${batchId}: Temporal does not have the whole list. Ask again later, or with partial=true`;
      throw new GatewayProblem('BatchUnfinished', detail);
    }
    reply.type(as === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson');
    const toText = as === 'csv' ? lists.csv(of) : ndjson;
    return reply.send(Readable.from(chunks(items, context, toText)));
  });

  route(app, 'pauseBatch', async (request, _reply, context): Promise<ShardsSignaled> => {
    const batchId = batchOf(request, context);
    fieldsOf(request, []);
    return { batchId, shards: await pauseBatch(client, batchId) };
  });

  route(app, 'resumeBatch', async (request, _reply, context): Promise<ShardsSignaled> => {
    const batchId = batchOf(request, context);
    fieldsOf(request, []);
    return { batchId, shards: await resumeBatch(client, batchId) };
  });

  route(app, 'stopBatch', async (request, reply, context): Promise<StopRequested> => {
    const batchId = batchOf(request, context);
    fieldsOf(request, []);
    const shards = await stopBatch(client, batchId, { waitMs: 0 });
    reply.code(202).header('location', locationOf(batchId));
    return { batchId, stopRequested: true, shards };
  });
}

/** A batch of 100,000 sessions has the counts of 50 shards. */
const MAX_COUNTED_BATCHES = 100;

/** The counts of completed shards, of the batches that were asked for last. Reading a shard again costs up to 400 KB. */
function recentCounts(): (batchId: string) => ShardCounts {
  const kept = new Map<string, ShardCounts>();
  return (batchId) => {
    const counts: ShardCounts = kept.get(batchId) ?? new Map();
    kept.delete(batchId);
    kept.set(batchId, counts);
    const [oldest = ''] = kept.keys();
    if (kept.size > MAX_COUNTED_BATCHES) kept.delete(oldest);
    return counts;
  };
}

/** The batch of the path, which the audit log names. @throws InvalidInputError */
function batchOf({ params }: FastifyRequest, { subject }: RequestContext): string {
  subject.batchId = checkBatchId((params as { batchId: string }).batchId);
  return subject.batchId;
}

export function locationOf(batchId: string): string {
  return `/v1/batches/${encodeURIComponent(batchId)}`;
}

/** Rows per write. */
const BUFFERED = 500;

async function* chunks(
  items: AsyncIterable<BatchResult>,
  context: RequestContext,
  toText: (items: BatchResult[]) => string,
): AsyncGenerator<string> {
  let some: BatchResult[] = [];
  try {
    for await (const item of items) {
      some.push(visible(item, context.caller));
      if (some.length < BUFFERED) continue;
      yield toText(some);
      some = [];
    }
  } catch (error) {
    // The status was sent before. Only the audit log can say why the answer was cut.
    Object.assign(context, { problem: problemOf(error).problem, error });
    throw error;
  }
  yield toText(some);
}

function visible(item: BatchResult, caller: Caller | undefined): BatchResult {
  if (!('finish' in item) || !item.finish) return item;
  return { ...item, finish: finishView(item.finish, caller) } as BatchResult;
}

function ndjson(items: BatchResult[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('');
}
