import { split } from './hashes.js';
import type { ClaimMessage, ClaimView, Hashes, ReleaseMessage } from './messages.js';

/** The claims of all shards. Continue-as-new hands it to the next run, so it is plain JSON. */
export type ClaimsRecord = [shard: string, claimId: string, holds: Hashes, waits: Hashes][];

interface Claim {
  claimId: string;
  sessions: Set<string>;
  passedOn: Set<string>;
  isFull: boolean;
}

/** Temporal refuses payloads above 2 MB. Encryption and field names take some of it. A claim of 2,000 sessions has 12 kB. */
const MAX_BYTES = 1_500_000;

/** For the claim id and the JSON around a claim. */
const CLAIM_BYTES = 100;

/**
 * Knows which shard holds which session, and which shards wait for it. The first shard that claims a session holds it until it releases
 * it or is gone. Then the shard that has waited longest gets it.
 */
export class ClaimRegistry {
  /** By workflow id of the shard. */
  private readonly claims = new Map<string, Claim>();
  private readonly holders = new Map<string, string>();
  /** Shards that wait for a session, the first one first. */
  private readonly queues = new Map<string, string[]>();
  /** Shards whose claim has changed since their last view was sent. */
  private readonly changed = new Set<string>();
  private bytes = 0;

  constructor(record: ClaimsRecord = []) {
    for (const [shard, claimId, holds] of record) {
      this.open(shard, claimId);
      for (const session of split(holds)) this.add(shard, session);
    }
    for (const [shard, , , waits] of record) for (const session of split(waits)) this.add(shard, session);
    this.changed.clear();
  }

  get isEmpty(): boolean {
    return this.claims.size === 0;
  }

  /** Number of shards and of the sessions that they hold. */
  get size(): { shards: number; sessions: number } {
    return { shards: this.claims.size, sessions: this.holders.size };
  }

  claim({ shard, claimId, sessions, holders }: ClaimMessage): void {
    const claim = this.claims.get(shard) ?? this.open(shard, claimId);
    const asked = new Set(split(sessions));
    claim.claimId = claimId;
    this.changed.add(shard);
    for (const session of [...claim.sessions]) if (!asked.has(session)) this.remove(shard, session);
    const added = [...asked].filter((session) => !claim.sessions.has(session));
    claim.isFull = added.length > 0 && this.bytes + added.join('').length > MAX_BYTES;
    if (claim.isFull) return;
    this.addKnownHolders(shard, asked, holders);
    for (const session of added) this.add(shard, session);
    // Signal the holders again, also those that know: one of them may be gone, and the shard that asks again waits for it.
    for (const session of asked) this.changed.add(this.holders.get(session) as string);
  }

  release({ shard, sessions }: ReleaseMessage): void {
    const claim = this.claims.get(shard);
    if (!claim) return;
    for (const session of sessions === undefined ? [...claim.sessions] : split(sessions)) this.remove(shard, session);
    if (sessions !== undefined) return;
    this.claims.delete(shard);
    this.changed.delete(shard);
    this.bytes -= shard.length + CLAIM_BYTES;
  }

  /** The shard no longer exists. @param claimId the claim whose view could not be sent; a later run of the shard keeps its claim */
  gone(shard: string, claimId: string): void {
    if (this.claims.get(shard)?.claimId === claimId) this.release({ shard });
    else if (this.claims.has(shard)) this.changed.add(shard);
  }

  /** Tells all shards again, which finds those that are gone. */
  resendAll(): void {
    for (const shard of this.claims.keys()) this.changed.add(shard);
  }

  /** @returns the views to send; @param busy shards with a signal in flight */
  takeViews(busy: ReadonlySet<string>): [shard: string, view: ClaimView][] {
    const shards = [...this.changed].filter((shard) => !busy.has(shard));
    return shards.map((shard) => {
      this.changed.delete(shard);
      return [shard, this.takeView(shard, this.claims.get(shard) as Claim)];
    });
  }

  record(): ClaimsRecord {
    return [...this.claims].map(([shard, { claimId, sessions }]) => {
      const holds = [...sessions].filter((session) => this.holders.get(session) === shard);
      const waits = [...sessions].filter((session) => this.holders.get(session) !== shard);
      return [shard, claimId, holds.join(''), waits.join('')];
    });
  }

  private takeView(shard: string, { claimId, sessions, passedOn, isFull }: Claim): ClaimView {
    const waitsFor = new Map<string, string>();
    let wanted = '';
    for (const session of sessions) {
      const holder = this.holders.get(session) as string;
      if (holder !== shard) waitsFor.set(holder, (waitsFor.get(holder) ?? '') + session);
      else if (this.queues.has(session)) wanted += session;
    }
    const view = { claimId, waitsFor: [...waitsFor], wanted, passedOn: [...passedOn].join('') };
    passedOn.clear();
    return isFull ? { ...view, isFull } : view;
  }

  /** Adds the holders that the asking shard knows. A new registry does not know them. */
  private addKnownHolders(asking: string, asked: ReadonlySet<string>, holders: ClaimMessage['holders']): void {
    for (const [holder, sessions] of holders) {
      const unknown = split(sessions).filter((session) => asked.has(session) && !this.holders.has(session));
      if (holder === asking || unknown.length === 0) continue;
      if (!this.claims.has(holder)) this.open(holder, '');
      for (const session of unknown) this.add(holder, session);
    }
  }

  private open(shard: string, claimId: string): Claim {
    const claim = { claimId, sessions: new Set<string>(), passedOn: new Set<string>(), isFull: false };
    this.claims.set(shard, claim);
    this.bytes += shard.length + CLAIM_BYTES;
    return claim;
  }

  private add(shard: string, session: string): void {
    this.claims.get(shard)?.sessions.add(session);
    this.bytes += session.length;
    const holder = this.holders.get(session);
    if (holder === undefined) {
      this.holders.set(session, shard);
      return;
    }
    this.changed.add(holder);
    const queue = this.queues.get(session);
    if (queue) queue.push(shard);
    else this.queues.set(session, [shard]);
  }

  private remove(shard: string, session: string): void {
    const claim = this.claims.get(shard);
    if (!claim?.sessions.delete(session)) return;
    claim.passedOn.delete(session);
    this.bytes -= session.length;
    const queue = this.queues.get(session)?.filter((waiting) => waiting !== shard) ?? [];
    if (this.holders.get(session) === shard) this.passOn(session, queue.shift(), queue);
    if (queue.length > 0) this.queues.set(session, queue);
    else this.queues.delete(session);
  }

  private passOn(session: string, next: string | undefined, waiting: string[]): void {
    if (next === undefined) {
      this.holders.delete(session);
      return;
    }
    this.holders.set(session, next);
    this.claims.get(next)?.passedOn.add(session);
    for (const shard of [next, ...waiting]) this.changed.add(shard);
  }
}
