import type { Call } from './call-types.js';
import type { SimulatedOperation } from './types.js';

/** Bounds the memory of simulators that run for days. */
const MAX_CALLS = 200_000;

/** Lists the latest calls and counts all calls. */
export class CallLog {
  /** Always the same array. */
  readonly calls: Call[] = [];
  readonly counts: Partial<Record<SimulatedOperation, number>> = {};

  add(call: Call): Call {
    this.calls.push(call);
    // Half of the list at once, because each removal moves the rest.
    if (this.calls.length > MAX_CALLS) this.calls.splice(0, MAX_CALLS / 2);
    this.counts[call.operation] = (this.counts[call.operation] ?? 0) + 1;
    return call;
  }

  of(interviewId?: string, operation?: SimulatedOperation): Call[] {
    return this.calls.filter(
      (call) =>
        (interviewId === undefined || call.interviewId === interviewId) &&
        (operation === undefined || call.operation === operation),
    );
  }
}
