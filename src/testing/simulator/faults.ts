import { checkFault } from './checks.js';
import type { Fault, SimulatedOperation } from './types.js';

interface Rule {
  fault: Fault;
  /** Position in the order of `add`. */
  order: number;
  skip: number;
  left: number;
}

/** The faults in the order of `add`. The first match applies to a call. */
export class Faults {
  private readonly general: Rule[] = [];
  /** Separate, so that thousands of sessions with a fault each do not slow down every call. */
  private readonly bySession = new Map<string, Rule[]>();
  private set = 0;

  add(fault: Fault): void {
    checkFault(fault);
    const { interviewId, times = 1, skip = 0 } = fault;
    this.set += 1;
    const rule = { fault, order: this.set, skip, left: times ?? Number.POSITIVE_INFINITY };
    if (interviewId === undefined) this.general.push(rule);
    else this.bySession.set(interviewId, [...(this.bySession.get(interviewId) ?? []), rule]);
  }

  clear(): void {
    this.general.length = 0;
    this.bySession.clear();
  }

  strike(operation: SimulatedOperation, interviewId: string | null): Fault | undefined {
    const own = interviewId === null ? undefined : this.bySession.get(interviewId);
    // A fast path for calls without faults.
    if (!own && this.general.length === 0) return undefined;
    const rules = own ? [...own, ...this.general].sort((a, b) => a.order - b.order) : this.general;
    for (const rule of rules) {
      if (rule.fault.operation !== undefined && rule.fault.operation !== operation) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      rule.left -= 1;
      if (rule.left <= 0) this.remove(rule);
      return rule.fault;
    }
    return undefined;
  }

  private remove(rule: Rule): void {
    const { interviewId } = rule.fault;
    const rules = interviewId === undefined ? this.general : (this.bySession.get(interviewId) ?? []);
    rules.splice(rules.indexOf(rule), 1);
    if (interviewId !== undefined && rules.length === 0) this.bySession.delete(interviewId);
  }
}
