import { countedItems } from '../../contract/counted.js';
import { TemporalIncodeError } from '../../contract/index.js';

/** The server knows the batch with another list or another plan. Nothing of this shard was started. */
export class BatchMismatchError extends TemporalIncodeError {
  override readonly name = 'BatchMismatchError';
  readonly batchId: string;
  /** The first shard that differs, counted from 0. */
  readonly shard: number;
  /** What differs from the batch at the server. */
  readonly differs: 'sessions' | 'people' | 'plan';

  constructor(batchId: string, shard: number, differs: 'sessions' | 'people' | 'plan') {
    super(
      `Batch ${batchId}, shard ${shard}: it was started with ${
        differs === 'plan' ? 'another plan' : `other ${differs}, in another order, or in shards of another size`
      }. Pass the same list and plan as before, or another batch id.`,
    );
    this.batchId = batchId;
    this.shard = shard;
    this.differs = differs;
  }
}

/** A shard was cancelled or terminated, or it failed. Run the batch again to restart it. */
export class BatchShardError extends TemporalIncodeError {
  override readonly name = 'BatchShardError';
  readonly batchId: string;
  readonly shard: number;
  /** `Cancelled`, `Terminated`, `TimedOut`, or one of the contract's `FAILURES`. */
  readonly type: string;

  constructor(batchId: string, shard: number, type: string, message: string, of: 'sessions' | 'people' = 'sessions') {
    const next =
      of === 'sessions'
        ? "restart it. Each session's status is read first."
        : 'attach to its people, whose workflows go on.';
    super(`Batch ${batchId}, shard ${shard}: ${message}. Run the batch again to ${next}`);
    this.batchId = batchId;
    this.shard = shard;
    this.type = type;
  }
}

/** Your signal was aborted. Started shards continue on the server. Run the batch again to attach to them. */
export class BatchDetachedError extends TemporalIncodeError {
  override readonly name = 'BatchDetachedError';
  readonly batchId: string;
  /** Sessions or people that the server has accepted. */
  readonly handedOver: number;

  constructor(batchId: string, handedOver: number, of: 'sessions' | 'people' = 'sessions') {
    super(
      `Batch ${batchId}: detached. ${countedItems(handedOver, of)} ${handedOver === 1 ? 'continues' : 'continue'} on the server.`,
    );
    this.batchId = batchId;
    this.handedOver = handedOver;
  }
}

/** The namespace has no shard of the batch: it never ran here, or its retention period is over. */
export class BatchNotFoundError extends TemporalIncodeError {
  override readonly name = 'BatchNotFoundError';
  readonly batchId: string;

  constructor(batchId: string) {
    super(`Batch ${batchId}: no such batch is known in this namespace.`);
    this.batchId = batchId;
  }
}
