import { captureWorkflowId } from '../../contract/capture-workflow.js';
import { type CaptureBatchInput, type CaptureRow, FAILURES } from '../../contract/index.js';

/** The state of a shard of people. Continue-as-new hands it to the next run, so it is plain JSON. */
export interface CaptureBatchRecord {
  /** By index of the person. `null` until the person has ended. */
  rows: (CaptureRow | null)[];
  /** Indexes of people whose workflow was started and has not ended. */
  begun: number[];
  /** Those of `begun` whose earlier workflow is to be replaced if it has failed. Absent in the first run. */
  toRetry?: number[];
  paused: boolean;
  stopped: boolean;
}

export function newCaptureBatchRecord({ people, earlier }: CaptureBatchInput): CaptureBatchRecord {
  return { rows: [...(earlier ?? people.map(() => null))], begun: [], paused: false, stopped: false };
}

/**
 * The row of a person who has not ended when the batch is stopped.
 *
 * @param known the session of the person, and suspected orphans
 */
export function stoppedPersonRow(reference: string, isBegun: boolean, known: CaptureRow = {}): CaptureRow {
  const message = isBegun
    ? `Person ${reference}: the batch was stopped before the person had ended; the workflow ${captureWorkflowId(reference)} goes on unless it is cancelled`
    : `Person ${reference}: the batch was stopped before this person was begun`;
  return { ...known, failure: { type: FAILURES.batchStopped, message } };
}
