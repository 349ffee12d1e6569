import type { Fault, SimulatedOperation } from './types.js';

/** Faults in the order in which they were set; the first that matches strikes. */
export class Faults {
  private readonly rules: { fault: Fault; skip: number; left: number }[] = [];

  add(fault: Fault): void {
    const { times = 1, skip = 0 } = fault;
    this.rules.push({ fault, skip, left: times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.rules.length = 0;
  }

  strike(operation: SimulatedOperation, interviewId: string | null): Fault | undefined {
    // Nearly always empty, and on the way of every call.
    if (this.rules.length === 0) return undefined;
    for (const rule of this.rules) {
      const { fault } = rule;
      if (rule.left <= 0) continue;
      if (fault.operation !== undefined && fault.operation !== operation) continue;
      if (fault.interviewId !== undefined && fault.interviewId !== interviewId) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      rule.left -= 1;
      return fault;
    }
    return undefined;
  }
}
