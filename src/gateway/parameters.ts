import type { FastifyRequest } from 'fastify';
import { InvalidInputError, parseDuration } from '../contract/index.js';
import { queryOf } from './body.js';
import { OPERATIONS } from './operations.js';

/** Temporal's SQL stores cannot find values with these characters, so an empty list would be misleading. */
const NOT_SEARCHABLE = /["\\\p{Cc}]|^'|'$/u;

const MAX_BATCH_ID = 200;

export function batchIdOf(value: unknown, field = 'batchId'): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= MAX_BATCH_ID && !NOT_SEARCHABLE.test(value)) {
    return value;
  }
  throw new InvalidInputError(
    field,
    `must have 1 to ${MAX_BATCH_ID} characters, without quotation marks or backslashes`,
  );
}

/** Below the timeouts of usual proxies. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;

export function timeoutOf(request: FastifyRequest): number {
  const { timeout } = queryOf(request, OPERATIONS.finishSession.query);
  if (timeout === undefined) return DEFAULT_TIMEOUT_MS;
  const ms = parseDuration(timeout);
  if (ms === undefined || ms > MAX_TIMEOUT_MS) {
    throw new InvalidInputError('timeout', 'must be a duration such as 10s, at most 60s');
  }
  return ms;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

export function limitOf(limit: string | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  const count = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MAX_LIMIT)
    throw new InvalidInputError('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
  return count;
}
