import { jsonBytes } from '../../contract/batch-size.js';
import { split } from './hashes.js';
import type { ClaimMessage, ClaimView, Hashes, ReleaseMessage } from './messages.js';

/** The claims of all shards. Continue-as-new hands it to the next run, so it is plain JSON. It names each session of a shard once. */
export type ClaimsRecord = [shard: string, claimId: string, holds: Hashes, waits: Hashes, more?: MoreOfClaim][];

interface MoreOfClaim {
  /** The shard does not know the latest state of its claim. These sessions were passed on to it. It holds them, too. */
  unsent?: Hashes;
  isFull?: true;
}

interface Claim {
  claimId: string;
  sessions: Set<string>;
  passedOn: Set<string>;
  isFull: boolean;
}

/** Temporal refuses payloads above 2 MB. Encryption and field names take some of it. A claim of 2,000 sessions has 12 kB. */
const MAX_BYTES = 1_500_000;

/** For the claim id and the JSON around a claim. */
const CLAIM_BYTES = 150;

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
  /** Claim ids of shards that have no claim because there is no room for it, and that do not know yet. */
  private readonly refused = new Map<string, string>();
  private bytes = 0;

  constructor(record: ClaimsRecord = []) {
    for (const [shard, claimId, holds, , { unsent = '' } = {}] of record) {
      this.open(shard, claimId);
      for (const session of split(holds + unsent)) this.add(shard, session);
    }
    for (const [shard, , , waits] of record) for (const session of split(waits)) this.add(shard, session);
    this.changed.clear();
    for (const [shard, , , , { unsent, isFull = false } = {}] of record) {
      const claim = this.claims.get(shard) as Claim;
      claim.isFull = isFull;
      for (const session of split(unsent ?? '')) claim.passedOn.add(session);
      if (unsent !== undefined) this.changed.add(shard);
    }
  }

  get isEmpty(): boolean {
    return this.claims.size === 0;
  }

  /** Number of shards and of the sessions that they hold. */
  get size(): { shards: number; sessions: number } {
    return { shards: this.claims.size, sessions: this.holders.size };
  }

  claim({ shard, claimId, sessions, holders }: ClaimMessage): void {
    const asked = new Set(split(sessions));
    const known = this.claims.get(shard);
    if (known) this.changed.add(shard);
    for (const session of [...(known?.sessions ?? [])]) if (!asked.has(session)) this.remove(shard, session);
    const added = [...asked].filter((session) => !known?.sessions.has(session));
    const unknown = this.unknownHolders(shard, asked, holders);
    this.refused.delete(shard);
    const isFull = !this.hasRoomFor(shard, added, unknown);
    if (known) Object.assign(known, { claimId, isFull });
    else if (isFull) this.refused.set(shard, claimId);
    else this.open(shard, claimId);
    if (isFull) return;
    this.changed.add(shard);
    for (const [holder, held] of unknown) {
      if (!this.claims.has(holder)) this.open(holder, '');
      for (const session of held) this.add(holder, session);
    }
    for (const session of added) this.add(shard, session);
    // Signals every holder again, because a signal to a terminated shard fails. The asking shard may wait for such a holder.
    for (const session of asked) this.changed.add(this.holders.get(session) as string);
  }

  release({ shard, sessions }: ReleaseMessage): void {
    const claim = this.claims.get(shard);
    if (!claim) return;
    for (const session of sessions === undefined ? [...claim.sessions] : split(sessions)) this.remove(shard, session);
    if (sessions !== undefined) return;
    this.claims.delete(shard);
    this.changed.delete(shard);
    this.bytes -= claimBytes(shard);
  }

  /** The shard did not exist when the view was sent. If it has been started anew since, it keeps its claim and gets another view. */
  undelivered(shard: string, { claimId, passedOn }: ClaimView): void {
    const claim = this.claims.get(shard);
    if (!claim) return;
    if (claim.claimId === claimId) {
      this.release({ shard });
      return;
    }
    for (const session of split(passedOn)) if (this.holders.get(session) === shard) claim.passedOn.add(session);
    this.changed.add(shard);
  }

  /** Tells all shards again, which finds those that are gone. */
  resendAll(): void {
    for (const shard of this.claims.keys()) this.changed.add(shard);
  }

  /** @returns the views to send; @param busy shards with a signal in flight @param max how many views to return at most */
  takeViews(busy: ReadonlySet<string>, max: number): [shard: string, view: ClaimView][] {
    const shards = [...new Set([...this.changed, ...this.refused.keys()])].filter((shard) => !busy.has(shard));
    return shards.slice(0, max).map((shard) => {
      if (this.changed.delete(shard)) return [shard, this.takeView(shard, this.claims.get(shard) as Claim)];
      const claimId = this.refused.get(shard) as string;
      this.refused.delete(shard);
      return [shard, { claimId, isFull: true, waitsFor: [], wanted: '', passedOn: '' }];
    });
  }

  /** Shards that were refused and do not know yet are left out. They ask again. */
  record(): ClaimsRecord {
    return [...this.claims].map(([shard, { claimId, sessions, passedOn, isFull }]) => {
      const held = [...sessions].filter((session) => this.holders.get(session) === shard && !passedOn.has(session));
      const waits = [...sessions].filter((session) => this.holders.get(session) !== shard);
      const more: MoreOfClaim = {
        ...(this.changed.has(shard) ? { unsent: [...passedOn].join('') } : {}),
        ...(isFull ? { isFull } : {}),
      };
      const parts = [shard, claimId, held.join(''), waits.join('')] as const;
      return Object.keys(more).length > 0 ? [...parts, more] : [...parts];
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

  /** @returns the holders that the asking shard knows and the registry does not. A new registry knows none */
  private unknownHolders(
    asking: string,
    asked: ReadonlySet<string>,
    holders: ClaimMessage['holders'],
  ): [holder: string, sessions: string[]][] {
    const named = new Set<string>();
    return holders.flatMap(([holder, sessions]) => {
      if (holder === asking) return [];
      const unknown = split(sessions).filter((session) => {
        if (!asked.has(session) || this.holders.has(session) || named.has(session)) return false;
        named.add(session);
        return true;
      });
      return unknown.length > 0 ? [[holder, unknown]] : [];
    });
  }

  private hasRoomFor(shard: string, added: string[], unknown: [holder: string, sessions: string[]][]): boolean {
    // A claim that only gets smaller needs no room.
    if (added.length === 0) return true;
    const opened = new Set([shard, ...unknown.map(([holder]) => holder)].filter((id) => !this.claims.has(id)));
    const sessions = [added, ...unknown.map(([, held]) => held)].flat();
    let bytes = this.bytes + sessions.join('').length;
    for (const id of opened) bytes += claimBytes(id);
    return bytes <= MAX_BYTES;
  }

  private open(shard: string, claimId: string): void {
    const claim: Claim = { claimId, sessions: new Set<string>(), passedOn: new Set<string>(), isFull: false };
    this.claims.set(shard, claim);
    this.bytes += claimBytes(shard);
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

function claimBytes(shard: string): number {
  return jsonBytes(shard) + CLAIM_BYTES;
}
