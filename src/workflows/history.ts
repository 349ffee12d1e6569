import { allHandlersFinished, workflowInfo } from '@temporalio/workflow';

/** Thrown in a long wait, to go on in a new run: nothing but the record is under way then. */
export class HistoryFull extends Error {}

/** An update that still waits for its answer would be lost with this run, so it comes first. */
export function historyIsFull(): boolean {
  return workflowInfo().continueAsNewSuggested && allHandlersFinished();
}
