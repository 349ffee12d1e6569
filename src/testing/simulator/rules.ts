import { referenceOf } from '../../contract/index.js';
import type { CallMatch } from './call-types.js';

/** A call, as a rule of a test selects it. */
export interface CallSubject {
  operation: string;
  interviewId: string | null;
  externalCustomerId: string | null;
  /** Digest of the uploaded image. */
  sha256?: string;
}

interface Entry<T> {
  rule: T;
  /** Position in the order of `add`. */
  order: number;
  skip: number;
  left: number;
}

/** Rules for calls, in the order of `add`. The first match applies to a call. */
export class Rules<T extends CallMatch & { sha256?: string }> {
  private readonly general: Entry<T>[] = [];
  /** Separate, so that thousands of sessions with a rule each do not slow down every call. */
  private readonly bySession = new Map<string, Entry<T>[]>();
  private set = 0;

  /** @param times if the rule does not say how many calls it affects; `null` until `clear` */
  add(rule: T, times: number | null): void {
    const { skip = 0 } = rule;
    this.set += 1;
    const left = (rule.times === undefined ? times : rule.times) ?? Number.POSITIVE_INFINITY;
    const entry = { rule, order: this.set, skip, left };
    const key = keyOf(rule);
    if (key === undefined) this.general.push(entry);
    else this.bySession.set(key, [...(this.bySession.get(key) ?? []), entry]);
  }

  clear(): void {
    this.general.length = 0;
    this.bySession.clear();
  }

  strike(call: CallSubject): T | undefined {
    const own = this.of(call);
    // A fast path for calls without rules.
    if (own.length === 0 && this.general.length === 0) return undefined;
    const entries = own.length > 0 ? [...own, ...this.general].sort((a, b) => a.order - b.order) : this.general;
    for (const entry of entries) {
      if (!matches(entry.rule, call)) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      if (entry.left <= 0) this.remove(entry);
      return entry.rule;
    }
    return undefined;
  }

  private of({ interviewId, externalCustomerId }: CallSubject): Entry<T>[] {
    if (this.bySession.size === 0) return [];
    const keys = [
      keyOf({ interviewId }),
      keyOf({ externalCustomerId }),
      keyOf({ externalCustomerId: personOf(externalCustomerId) }),
    ];
    return keys.flatMap((key) => (key === undefined ? [] : (this.bySession.get(key) ?? [])));
  }

  private remove(entry: Entry<T>): void {
    const key = keyOf(entry.rule);
    const entries = key === undefined ? this.general : (this.bySession.get(key) ?? []);
    entries.splice(entries.indexOf(entry), 1);
    if (key !== undefined && entries.length === 0) this.bySession.delete(key);
  }
}

function keyOf({
  interviewId,
  externalCustomerId,
}: {
  interviewId?: string | null;
  externalCustomerId?: string | null;
}): string | undefined {
  if (interviewId != null) return `interview ${interviewId}`;
  return externalCustomerId == null ? undefined : `customer ${externalCustomerId}`;
}

const SELECTORS = ['operation', 'interviewId', 'externalCustomerId', 'sha256'] as const;

function matches(rule: CallMatch & { sha256?: string }, call: CallSubject): boolean {
  return SELECTORS.every((selector) => {
    const selected = rule[selector];
    if (selected === undefined || selected === call[selector]) return true;
    return selector === 'externalCustomerId' && selected === personOf(call.externalCustomerId);
  });
}

/** The reference of a person from images, whose sessions have an `externalCustomerId` each. */
function personOf(externalCustomerId: string | null): string | null {
  return referenceOf(externalCustomerId ?? '') ?? null;
}
