import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BatchDetachedError, completeBatch, type OnboardingClient } from '../client/index.js';
import { checkBatchId, checkBatchPlan, InvalidInputError, MAX_SHARD_SESSIONS } from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { TimeLimitError, withTimeLimit } from '../network/time-limit.js';
import { locationOf } from './batches.js';
import { checkEncoding, oneOf, queryOf } from './body.js';
import type { Closing } from './closing.js';
import { route } from './guard.js';
import { LIST_FORMATS, type ListFormat, type ReceivedList } from './lists.js';
import { OPERATIONS } from './operations.js';
import type { GatewaySettings } from './options.js';
import { GatewayProblem, RETRY_AFTER } from './problems.js';
import type { StartedBatch } from './types.js';
import { stoppingProblem } from './waits.js';

/** The format of each type. The last one is for programs that cannot send the others; the parameter `format` completes it. */
const TYPES: Record<string, ListFormat | undefined> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/octet-stream': undefined,
};

/** Each list takes room on the disk, and its shards some memory while they are handed over. */
const MAX_UPLOADS = 4;

/** Every shard of a list is handed to Temporal at once, so that the gateway need not keep the list. 50 shards run beside each other. */
const MAX_SESSIONS = 50 * MAX_SHARD_SESSIONS;

/** The body is a stream: the list is not kept in memory. */
export function uploadRoutes(app: FastifyInstance, settings: GatewaySettings, closing: Closing): void {
  const { client } = settings;
  let uploads = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(Object.keys(TYPES), (_request, payload, done) => done(null, payload));

  app.addHook('preParsing', async (request, _reply, payload) => {
    checkEncoding(request);
    return payload;
  });

  route(app, 'startBatch', async (request, reply, { subject }): Promise<StartedBatch> => {
    const parameters = checkedParameters(request);
    if (uploads >= MAX_UPLOADS) {
      throw new GatewayProblem('TooManyRequests', 'Other lists are being received', { headers: RETRY_AFTER });
    }
    uploads += 1;
    const over = new AbortController();
    const forget = closing.onClose(() => over.abort(stoppingProblem()));
    try {
      const list = await received(request, parameters.format, settings, over.signal);
      try {
        subject.batchId = parameters.batchId ?? list.batchId;
        const started = await handOver(client, list, { ...parameters, batchId: subject.batchId }, over.signal);
        reply.code(202).header('location', locationOf(started.batchId));
        return started;
      } finally {
        await list.close();
      }
    } finally {
      forget();
      uploads -= 1;
    }
  });
}

interface Parameters {
  format: ListFormat;
  batchId?: string;
  retryFailed: boolean;
  plan: ReturnType<typeof checkBatchPlan>;
}

/** @throws InvalidInputError */
function checkedParameters(request: FastifyRequest): Parameters {
  const query = queryOf(request, OPERATIONS.startBatch.query);
  const flag = (name: 'retryFailed' | 'close' | 'score') => {
    const value = oneOf(name, query[name], ['true', 'false']);
    return value === undefined ? undefined : value === 'true';
  };
  const { batchId, scoreDeadline } = query;
  return {
    format: formatOf(request, oneOf('format', query.format, LIST_FORMATS)),
    ...omitUndefined({ batchId: batchId === undefined ? undefined : checkBatchId(batchId) }),
    retryFailed: flag('retryFailed') ?? false,
    plan: checkBatchPlan(omitUndefined({ close: flag('close'), score: flag('score'), scoreDeadline })),
  };
}

/** @throws InvalidInputError, GatewayProblem */
function formatOf({ headers }: FastifyRequest, named: ListFormat | undefined): ListFormat {
  const type = (headers['content-type'] ?? '').toLowerCase().split(';')[0]?.trim() ?? '';
  if (!Object.hasOwn(TYPES, type)) {
    throw new GatewayProblem('UnsupportedMediaType', `Send the list as ${Object.keys(TYPES).join(' or ')}`);
  }
  const format = TYPES[type] ?? named;
  if (format === undefined) throw new InvalidInputError('format', `is required for ${type}: csv or ndjson`);
  if (named !== undefined && named !== format) throw new InvalidInputError('format', `is not that of ${type}`);
  return format;
}

/** @throws InvalidInputError if anything is wrong with the list. Nothing was started then */
async function received(
  request: FastifyRequest,
  format: ListFormat,
  settings: GatewaySettings,
  signal: AbortSignal,
): Promise<ReceivedList> {
  const { lists, maxListBytes: maxBytes, bodyTimeoutMs } = settings;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const input = Readable.from(counted(request.body as Readable, maxBytes, bodyTimeoutMs));
  const list = await lists.receive(input, format, signal).catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw isFull(error) ? fullProblem() : error;
  });
  const problem = problemOf(list);
  if (problem === undefined) return list;
  await list.close();
  throw problem;
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(String((error as NodeJS.ErrnoException).code));
}

function fullProblem(): GatewayProblem {
  const detail =
    'The gateway has no room for the list. Nothing was started. Send it in smaller parts, or ask the operator to make room in TMPDIR';
  return new GatewayProblem('InsufficientStorage', detail, { headers: { ...RETRY_AFTER, connection: 'close' } });
}

function problemOf({ isRefused, problems, sessions }: ReceivedList): Error | undefined {
  if (sessions > MAX_SESSIONS) {
    return new InvalidInputError('list', `must have at most ${MAX_SESSIONS} sessions; send it in several parts`);
  }
  if (!isRefused) return undefined;
  const what = sessions === 0 ? 'has no valid session' : 'has rows that are wrong';
  return Object.assign(new InvalidInputError('list', `${what}. Nothing was started`), { rows: problems });
}

async function* counted(body: Readable, maxBytes: number, idleMs: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  // Not destroyed, because a destroyed request leaves no connection to answer on.
  const chunks: AsyncIterator<Buffer> = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const { done, value } = await inTime(chunks.next(), idleMs);
    if (done) return;
    bytes += value.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    yield value;
  }
}

/** A list that does not go on would keep its place, and other lists would be refused. */
async function inTime<T>(next: Promise<T>, idleMs: number): Promise<T> {
  // The body may be cut off after nobody waits for it.
  next.catch(() => undefined);
  try {
    return await withTimeLimit(idleMs, () => next);
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    const headers = { connection: 'close' };
    throw new GatewayProblem('RequestTimeout', `No part of the list arrived for ${idleMs} ms`, { headers });
  }
}

function tooLarge(maxBytes: number): GatewayProblem {
  const headers = { connection: 'close' };
  return new GatewayProblem('ContentTooLarge', `The list must have at most ${maxBytes} bytes`, { headers });
}

/** Temporal's answer to a start takes milliseconds. */
const LOOK_EVERY_MS = 100;

/**
 * Gives every shard to Temporal and returns. From then on, the batch needs the gateway no more.
 *
 * @throws BatchDetachedError if the list was given in part. The same request continues it
 */
async function handOver(
  client: OnboardingClient,
  list: ReceivedList,
  { batchId, plan, retryFailed }: Parameters & { batchId: string },
  stopping: AbortSignal,
): Promise<StartedBatch> {
  const { sessions } = list;
  const detach = new AbortController();
  stopping.addEventListener('abort', () => detach.abort());
  let attached = 0;
  const batch = completeBatch(client, list.read(), {
    batchId,
    plan,
    retryFailed,
    total: sessions,
    window: MAX_SESSIONS / MAX_SHARD_SESSIONS,
    order: 'asCompleted',
    signal: detach.signal,
    progressIntervalMs: LOOK_EVERY_MS,
    onProgress: (progress) => {
      attached = progress.attached;
      if (progress.handedOver === sessions) detach.abort();
    },
  });
  try {
    for await (const _ of batch);
  } catch (error) {
    if (!(error instanceof BatchDetachedError && error.handedOver === sessions)) throw error;
  }
  return { batchId, sessions, attached };
}
