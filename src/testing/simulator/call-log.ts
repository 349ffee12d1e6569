import { addBounded } from './bounded-list.js';
import type { Call } from './call-types.js';
import type { SimulatedOperation } from './types.js';

/** Lists the latest calls and counts all calls. */
export class CallLog {
  /** Always the same array. */
  readonly calls: Call[] = [];
  readonly counts: Partial<Record<SimulatedOperation, number>> = {};

  add(call: Call): Call {
    addBounded(this.calls, call);
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
