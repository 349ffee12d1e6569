import { workflowInfo } from '@temporalio/workflow';
import type { BulkProgress, CompleteManyResult } from '../../activities/batch/types.js';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import type { BatchRecord } from './record.js';

/**
 * Sessions that the run before a reset, or before a workflow retry, may have sent to Incode until just now, whatever the part of
 * its history says that this run has taken over. Their status is read first, until an activity of this run's own tells more.
 *
 * A run that has taken over history has to repeat what stands in it, so this changes nothing but what activities are told.
 */
export class PossiblySent {
  private readonly places = new Set<number>();

  /** @param isContinued a run that continues another was told by its record */
  constructor({ rows }: BatchRecord, isContinued: boolean) {
    const { runId, originalExecutionRunId, firstExecutionRunId, attempt } = workflowInfo();
    const isFollower =
      runId !== originalExecutionRunId || attempt > 1 || (!isContinued && runId !== firstExecutionRunId);
    for (const [index, row] of rows.entries()) if (isFollower && row === null) this.places.add(index);
  }

  /** @returns what an activity has to be told of a session */
  doneOf(index: number, done: BulkProgress | undefined): BulkProgress | undefined {
    if (!this.places.has(index) || done?.finish) return done;
    // Only what is begun after the history that was taken over is really sent, so this is now, and not then.
    // A worker goes on with an activity of the run before until a heartbeat tells it.
    return { ...done, verify: true, lastSentAt: Date.now() + HEARTBEAT_TIMEOUT_MS };
  }

  learn({ runId, ended, open }: CompleteManyResult): void {
    if (runId !== workflowInfo().runId) return;
    for (const [index] of [...ended, ...open]) this.places.delete(index);
  }

  /** Leaves to the record what is still suspected, for whoever goes by the record alone. */
  handOver({ rows, open }: BatchRecord): void {
    for (const index of this.places) {
      const done = this.doneOf(index, open[index]?.done);
      if (rows[index] === null && done) open[index] = { done, due: open[index]?.due ?? 0 };
    }
    this.places.clear();
  }
}
