import { workflowInfo } from '@temporalio/workflow';
import type { BulkProgress, CompleteManyResult } from '../../activities/batch/types.js';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import type { BatchRecord } from './record.js';

/**
 * Sessions that somebody else may have sent to Incode a moment ago: a replaced run of this shard, or another shard that held them. A reset
 * or a workflow retry replaces a run, and the remaining history does not show what the old run sent later. Activities read the status of
 * these sessions first, until an activity of this run has reported on them.
 *
 * The remaining history is replayed, so this only changes inputs of activities and no commands.
 */
export class PossiblySent {
  private readonly indexes = new Set<number>();

  /** @param isContinued whether the run continues another one, whose record already has these sessions */
  constructor({ rows }: BatchRecord, isContinued: boolean) {
    const { runId, originalExecutionRunId, firstExecutionRunId, attempt } = workflowInfo();
    const isReplacement =
      runId !== originalExecutionRunId || attempt > 1 || (!isContinued && runId !== firstExecutionRunId);
    for (const [index, row] of rows.entries()) if (isReplacement && row === null) this.indexes.add(index);
  }

  add(indexes: number[]): void {
    for (const index of indexes) this.indexes.add(index);
  }

  /** @returns the progress of a session as the activity gets it: a session that was possibly sent is marked for a status read */
  progressOf(index: number, progress: BulkProgress | undefined): BulkProgress | undefined {
    if (!this.indexes.has(index) || progress?.finish) return progress;
    // `Date.now()` is the current time, because activities scheduled in replay are not called again. A worker continues with an
    // activity of the replaced run until its next heartbeat.
    return { ...progress, verify: true, lastSentAt: Date.now() + HEARTBEAT_TIMEOUT_MS };
  }

  /** Removes the sessions that an activity of this run has reported on. */
  remove({ runId, ended, open }: CompleteManyResult): void {
    if (runId !== workflowInfo().runId) return;
    for (const [index] of [...ended, ...open]) this.indexes.delete(index);
  }

  /** Marks the remaining sessions in the record, for the next run and for rows of a stopped batch. */
  writeTo({ rows, open }: BatchRecord): void {
    for (const index of this.indexes) {
      const done = this.progressOf(index, open[index]?.done);
      if (rows[index] === null && done) open[index] = { done, due: open[index]?.due ?? 0 };
    }
    this.indexes.clear();
  }
}
