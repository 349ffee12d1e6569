import { type CapturePerson, type PersonRequest, requestOf } from '../../contract/capture.js';

/** Bounds the memory. The oldest are dropped first. */
const MAX_REQUESTS = 10_000;

/** What this client has started people with, so that it reports no verdict of another request under the same reference. */
export class StartedRequests {
  private readonly requests = new Map<string, PersonRequest>();

  add(person: CapturePerson): void {
    const { reference } = person;
    // Inserted again as the last entry, so that the first entry is the oldest.
    this.requests.delete(reference);
    this.requests.set(reference, requestOf(person));
    const [oldest] = this.requests.keys();
    if (this.requests.size > MAX_REQUESTS && oldest !== undefined) this.requests.delete(oldest);
  }

  of(reference: string): PersonRequest | undefined {
    return this.requests.get(reference);
  }
}
