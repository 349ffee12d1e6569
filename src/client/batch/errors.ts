import { TemporalIncodeError } from '../../contract/index.js';

/** The batch is known at the server with another list of sessions, or another plan. Nothing of this shard was started. */
export class BatchMismatchError extends TemporalIncodeError {
  override readonly name = 'BatchMismatchError';
  readonly batchId: string;
  readonly shard: number;
  readonly differs: 'sessions' | 'plan';

  constructor(batchId: string, shard: number, differs: 'sessions' | 'plan') {
    super(
      `Batch ${batchId}, shard ${shard}: it was started with ${
        differs === 'plan' ? 'another plan' : 'other sessions, in another order, or in shards of another size'
      }. Give what it was started with, or another batch id.`,
    );
    this.batchId = batchId;
    this.shard = shard;
    this.differs = differs;
  }
}

/** Somebody cancelled or terminated a shard while it was waited for, or it failed. Running the batch again starts it anew. */
export class BatchShardError extends TemporalIncodeError {
  override readonly name = 'BatchShardError';
  readonly batchId: string;
  readonly shard: number;
  /** `Cancelled`, `Terminated`, `TimedOut`, or one of the contract's `FAILURES`. */
  readonly type: string;

  constructor(batchId: string, shard: number, type: string, message: string) {
    super(
      `Batch ${batchId}, shard ${shard}: ${message}. Run the batch again to start it anew; statuses are read first.`,
    );
    this.batchId = batchId;
    this.shard = shard;
    this.type = type;
  }
}

/** The caller's signal was aborted. What was handed over goes on at the server; running the batch again attaches to it. */
export class BatchDetachedError extends TemporalIncodeError {
  override readonly name = 'BatchDetachedError';
  readonly batchId: string;
  /** Sessions that the server has. */
  readonly handedOver: number;

  constructor(batchId: string, handedOver: number) {
    super(`Batch ${batchId}: detached. ${handedOver} sessions were handed over and go on at the server.`);
    this.batchId = batchId;
    this.handedOver = handedOver;
  }
}

/** No shard of the batch is known, or the namespace's retention has removed them. */
export class BatchNotFoundError extends TemporalIncodeError {
  override readonly name = 'BatchNotFoundError';
  readonly batchId: string;

  constructor(batchId: string) {
    super(`Batch ${batchId}: no such batch is known in this namespace.`);
    this.batchId = batchId;
  }
}
