import type { IncodeOperation } from '../incode/index.js';
import { Lease, type Moment, now, sendWhileLeased, sinceMs } from './lease.js';

const TICK_MS = 1_000;

/** Half the heartbeat timeout of uploads. After a shorter standstill the server has replaced no attempt. */
const LEAST_MS = 5_000;

/** Tasks that the server gave to a frozen process begin within this time after it. */
const RECENT_MS = 30_000;

/** Notices by a timer that comes late when this process stood still, for example because its machine was suspended. */
class Standstills {
  private count = 0;
  private looked = now();
  private endedAt: Moment | undefined;
  private timer: NodeJS.Timeout | undefined;

  watch(): void {
    this.looked = now();
    this.timer ??= setInterval(() => this.look(), TICK_MS).unref();
  }

  get seen(): number {
    this.look();
    return this.count;
  }

  isRecent(): boolean {
    this.look();
    return this.endedAt !== undefined && sinceMs(this.endedAt) < RECENT_MS;
  }

  private look(): void {
    if (sinceMs(this.looked) >= LEAST_MS) {
      this.count += 1;
      this.endedAt = now();
    }
    this.looked = now();
  }
}

const standstills = new Standstills();

/** Begins to watch, once for this process. */
export function watchStandstills(): void {
  standstills.watch();
}

/**
 * Confirms an attempt with the server only after this process has stood still. A `Lease` would do so for each attempt that has waited for the
 * rate limit, and every heartbeat is billed.
 */
export class LeaseAfterStandstill {
  readonly operation: IncodeOperation;
  /** Standstills until the attempt was known to be the current one. `null` if that is not known. */
  private confirmed = standstills.isRecent() ? null : standstills.seen;

  /** @param operation named in errors */
  constructor(operation: IncodeOperation) {
    this.operation = operation;
  }

  /** Sends a request if this attempt is the current one. @throws NotCurrentError if nothing was sent */
  send<T>(request: (mayStillSend: () => boolean) => Promise<T>): Promise<T> {
    return sendWhileLeased(this, () => undefined, this.operation, request);
  }

  holds(): boolean {
    return this.confirmed === standstills.seen;
  }

  /** @throws NotCurrentError */
  async renew(details: unknown): Promise<void> {
    const seen = standstills.seen;
    await new Lease(this.operation).renew(details);
    this.confirmed = seen;
  }
}
