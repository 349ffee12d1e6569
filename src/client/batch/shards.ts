import { createHash } from 'node:crypto';
import {
  type BatchSession,
  checkBatchSession,
  checkTokenFits,
  InvalidInputError,
  MAX_SHARD_BYTES,
  MAX_SHARD_SESSIONS,
} from '../../contract/index.js';
import { SeenIds } from './seen-ids.js';

export interface Shard {
  number: number;
  /** Place of its first session in the whole input. */
  first: number;
  sessions: BatchSession[];
  /** Of the interview ids in their order. Not of the tokens: they may have been renewed when the batch is run again. */
  contentHash: string;
}

/**
 * Cuts a list into shards, always in the same places.
 *
 * @throws InvalidInputError naming the first session that is wrong, or has the id or token of another
 */
export async function* cutShards(
  sessions: Iterable<BatchSession> | AsyncIterable<BatchSession>,
  shardSize: number,
): AsyncGenerator<Shard> {
  const seen = { ids: new SeenIds(), tokens: new SeenIds() };
  let [number, first, bytes] = [0, 0, 0];
  let cut: BatchSession[] = [];
  for await (const given of sessions) {
    const session = checked(given, first + cut.length, seen);
    const size = sizeOf(session);
    if (cut.length === shardSize || bytes + size > MAX_SHARD_BYTES) {
      yield shard(number, first, cut);
      number += 1;
      first += cut.length;
      cut = [];
      bytes = 0;
    }
    cut.push(session);
    bytes += size;
  }
  if (cut.length > 0) yield shard(number, first, cut);
}

/** @throws InvalidInputError */
export function checkShardSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 1 || size > MAX_SHARD_SESSIONS) {
    throw new InvalidInputError('shardSize', `must be a whole number from 1 to ${MAX_SHARD_SESSIONS}`);
  }
  return size;
}

function checked(given: unknown, index: number, seen: { ids: SeenIds; tokens: SeenIds }): BatchSession {
  const session = checkBatchSession(given, `sessions[${index}]`);
  const { interviewId, sessionToken } = session;
  const isNew = (field: keyof BatchSession, first: number) => {
    if (first === index) return;
    throw new InvalidInputError(`sessions[${index}].${field}`, `is the same as that of sessions[${first}]`);
  };
  isNew('interviewId', seen.ids.see(interviewId, index));
  if (sessionToken === undefined) return session;
  checkTokenFits(interviewId, sessionToken, `sessions[${index}].sessionToken`);
  // A token reaches one session, so one of the two would get the verdict of another person.
  isNew('sessionToken', seen.tokens.see(sessionToken, index));
  return session;
}

/** `{"interviewId":"","sessionToken":"","flowId":""},` */
const PUNCTUATION = 52;

/** Incode's tokens have at most 256 characters, its flow ids 24. Fewer count as many, so that adding them moves no cut. */
const MIN_TOKEN = 256;
const MIN_FLOW_ID = 64;

/**
 * Bytes of a session as JSON, at least. A token counts as the next power of two, because one that was renewed may be a little
 * longer, and must not move where shards are cut.
 */
function sizeOf({ interviewId, sessionToken = '', flowId = '' }: BatchSession): number {
  const token = 2 ** Math.ceil(Math.log2(Math.max(MIN_TOKEN, jsonLength(sessionToken))));
  return PUNCTUATION + jsonLength(interviewId) + token + Math.max(MIN_FLOW_ID, jsonLength(flowId));
}

/** Quotes and backslashes are written as two characters; the contract lets no others through that grow. */
function jsonLength(text: string): number {
  return /["\\]/.test(text) ? JSON.stringify(text).length - 2 : text.length;
}

function shard(number: number, first: number, sessions: BatchSession[]): Shard {
  const ids = sessions.map(({ interviewId }) => interviewId).join('\n');
  return { number, first, sessions, contentHash: createHash('sha256').update(ids).digest('hex') };
}
