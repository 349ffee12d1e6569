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
  /** Position of its first session in the whole input. */
  first: number;
  sessions: BatchSession[];
  /** Hash of the interview ids in order. Excludes tokens, because they may be new when the batch runs again. */
  contentHash: string;
}

/**
 * Cuts a list into shards, always at the same positions.
 *
 * @throws InvalidInputError naming the first session that is invalid or repeats the id or token of another
 */
export async function* cutShards(
  sessions: Iterable<BatchSession> | AsyncIterable<BatchSession>,
  shardSize: number,
): AsyncGenerator<Shard> {
  const seen = { ids: new SeenIds(), tokens: new SeenIds() };
  let [number, first, bytes] = [0, 0, 0];
  let cut: BatchSession[] = [];
  for await (const input of sessions) {
    const session = checked(input, first + cut.length, seen);
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

function checked(input: unknown, index: number, seen: { ids: SeenIds; tokens: SeenIds }): BatchSession {
  const session = checkBatchSession(input, `sessions[${index}]`);
  const { interviewId, sessionToken } = session;
  const checkNew = (field: keyof BatchSession, first: number) => {
    if (first === index) return;
    throw new InvalidInputError(`sessions[${index}].${field}`, `is the same as that of sessions[${first}]`);
  };
  checkNew('interviewId', seen.ids.see(interviewId, index));
  if (sessionToken === undefined) return session;
  checkTokenFits(interviewId, sessionToken, `sessions[${index}].sessionToken`);
  // A token belongs to one session, so the other session would get the verdict of another person.
  checkNew('sessionToken', seen.tokens.see(sessionToken, index));
  return session;
}

/** `{"interviewId":"","sessionToken":"","flowId":""},` */
const PUNCTUATION = 52;

/** Shorter or missing values count as this many bytes, so that adding them does not move a cut. Incode's values are not longer. */
const MIN_TOKEN = 256;
const MIN_FLOW_ID = 64;

/**
 * Upper estimate of a session's bytes as JSON. A token's length counts as the next power of two, because a renewed token may be
 * slightly longer and must not move the cuts.
 */
function sizeOf({ interviewId, sessionToken = '', flowId = '' }: BatchSession): number {
  const token = 2 ** Math.ceil(Math.log2(Math.max(MIN_TOKEN, jsonLength(sessionToken))));
  return PUNCTUATION + jsonLength(interviewId) + token + Math.max(MIN_FLOW_ID, jsonLength(flowId));
}

/** JSON writes quotes and backslashes as two characters. The contract allows no other characters that grow. */
function jsonLength(text: string): number {
  return /["\\]/.test(text) ? JSON.stringify(text).length - 2 : text.length;
}

function shard(number: number, first: number, sessions: BatchSession[]): Shard {
  const ids = sessions.map(({ interviewId }) => interviewId).join('\n');
  return { number, first, sessions, contentHash: createHash('sha256').update(ids).digest('hex') };
}
