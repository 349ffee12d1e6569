import { HASH_LENGTH } from './hashes.js';

/** Hashes of interview ids, joined to one string. */
export type Hashes = string;

/** A shard asks for all of its sessions that are not finished. It replaces the shard's earlier claim and keeps its place. */
export interface ClaimMessage {
  /** Workflow id of the shard. */
  shard: string;
  /** A new one for each run of the shard. */
  claimId: string;
  sessions: Hashes;
  /** Shards that hold some of the sessions, as far as the asking shard knows. A new claims workflow does not know them. */
  holders: [shard: string, sessions: Hashes][];
}

/** A shard is done with sessions. */
export interface ReleaseMessage {
  shard: string;
  /** @default all */
  sessions?: Hashes;
}

/** The state of a shard's claim. The shard holds all sessions that it does not wait for. */
export interface ClaimView {
  /** Of the latest claim. */
  claimId: string;
  /** There is no room for the claim: the shard holds nothing, and has to ask again. */
  isFull?: true;
  waitsFor: [holder: string, sessions: Hashes][];
  /** Sessions of the shard that others wait for. */
  wanted: Hashes;
  /** Sessions that the shard has got from another one since the last message. The other one may just have sent them to Incode. */
  passedOn: Hashes;
}

/** @returns `undefined` for anything else: everybody with access to the namespace can send a signal */
export function claimMessage(value: unknown): ClaimMessage | undefined {
  const { shard, claimId, sessions, holders } = fieldsOf(value);
  if (!isShard(shard) || !isClaimId(claimId) || !isHashes(sessions) || !isHolders(holders)) return undefined;
  return { shard, claimId, sessions, holders };
}

export function releaseMessage(value: unknown): ReleaseMessage | undefined {
  const { shard, sessions } = fieldsOf(value);
  if (!isShard(shard)) return undefined;
  if (sessions === undefined) return { shard };
  return isHashes(sessions) ? { shard, sessions } : undefined;
}

export function claimView(value: unknown): ClaimView | undefined {
  const { claimId, isFull, waitsFor, wanted, passedOn } = fieldsOf(value);
  if (!isClaimId(claimId) || !isHolders(waitsFor) || !isHashes(wanted) || !isHashes(passedOn)) return undefined;
  return { claimId, waitsFor, wanted, passedOn, ...(isFull === true ? { isFull } : {}) };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * Whether Temporal takes a signal to this workflow id: 1 to 1,000 bytes of valid UTF-8. It fails the workflow task for any other, again at
 * every retry.
 */
function isShard(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_ID_BYTES) return false;
  return !LONE_SURROGATE.test(value) && encodeURIComponent(value).replace(/%../g, '.').length <= MAX_ID_BYTES;
}

const MAX_ID_BYTES = 1_000;
const LONE_SURROGATE = /\p{Surrogate}/u;

function isClaimId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{0,64}$/.test(value);
}

function isHashes(value: unknown): value is Hashes {
  return typeof value === 'string' && value.length % HASH_LENGTH === 0 && /^[\w-]*$/.test(value);
}

function isHolders(value: unknown): value is [string, Hashes][] {
  const isHolder = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && isShard(pair[0]) && isHashes(pair[1]);
  return Array.isArray(value) && value.every(isHolder);
}
