import type { BatchSession } from '../../contract/index.js';
import { hashOf, split } from '../claims/hashes.js';
import type { ClaimView, Hashes } from '../claims/messages.js';

/** What a shard knows of its claim: the sessions that other shards hold, and the sessions that other shards wait for. */
export class ClaimedSessions {
  private readonly hashes: string[];
  private readonly indexes = new Map<string, number[]>();
  private holders: ClaimView['waitsFor'] = [];
  /** Indexes of sessions that another shard holds. */
  private readonly waiting = new Set<number>();
  private wanted: string[] = [];

  constructor(sessions: BatchSession[]) {
    this.hashes = sessions.map(({ interviewId }) => hashOf(interviewId));
    for (const [index, hash] of this.hashes.entries()) this.indexes.set(hash, [...this.indexesOf(hash), index]);
  }

  get isWaiting(): boolean {
    return this.waiting.size > 0;
  }

  isHeldByOther(index: number): boolean {
    return this.waiting.has(index);
  }

  /** @returns the parts of a claim; @param isEnded whether the shard sends nothing more for the session with this index */
  toAsk(isEnded: (index: number) => boolean): { sessions: Hashes; holders: ClaimView['waitsFor'] } {
    return { sessions: this.hashes.filter((_, index) => !isEnded(index)).join(''), holders: this.holders };
  }

  /**
   * Applies the answer to this run's claim.
   *
   * @returns indexes of sessions that another shard may have sent: it held them until now. A message about it may have been lost
   */
  update({ waitsFor }: ClaimView): number[] {
    const before = [...this.waiting];
    this.holders = waitsFor;
    this.waiting.clear();
    for (const [, sessions] of waitsFor) for (const index of this.indexesOfAll(sessions)) this.waiting.add(index);
    return before.filter((index) => !this.waiting.has(index));
  }

  /**
   * Applies the parts that count in every message, also about the claim of an earlier run.
   *
   * @returns indexes of sessions that another shard may have sent
   */
  applyChanges({ wanted, passedOn }: ClaimView): number[] {
    this.wanted = split(wanted);
    return this.indexesOfAll(passedOn);
  }

  /** @returns sessions that others wait for and that this shard has ended. They are returned once */
  takeReleasable(isEnded: (index: number) => boolean): Hashes {
    const isDone = (hash: string) => this.indexesOf(hash).every(isEnded);
    const released = this.wanted.filter(isDone);
    this.wanted = this.wanted.filter((hash) => !isDone(hash));
    return released.join('');
  }

  /** @returns what the shard waits for, in words for people; `null` if it waits for no other shard */
  waitsFor(): string | null {
    const [first, ...others] = this.holders.map(([holder]) => holder);
    const { size } = this.waiting;
    if (first === undefined || size === 0) return null;
    const more = others.length > 0 ? ` and ${others.length} other ${others.length > 1 ? 'shards' : 'shard'}` : '';
    const [who, where] = size > 1 ? ['sessions wait', 'they are'] : ['session waits', 'it is'];
    return `${size} ${who} for ${first}${more}, where ${where} in progress`;
  }

  private indexesOf(hash: string): number[] {
    return this.indexes.get(hash) ?? [];
  }

  private indexesOfAll(hashes: Hashes): number[] {
    return split(hashes).flatMap((hash) => this.indexesOf(hash));
  }
}
