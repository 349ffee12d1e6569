import { startChild, workflowInfo } from '@temporalio/workflow';
import { CLAIMS_WORKFLOW, claimsWorkflowId } from '../../contract/names.js';

/**
 * Starts the claims workflow of this task queue, if it does not run. A shard does not start it itself: the id has the name of the task
 * queue, which is another one when a tool replays the shard's history. And an open child would last longer than the shard.
 */
export async function startOnboardingBatchClaims(): Promise<void> {
  try {
    await startChild(CLAIMS_WORKFLOW, {
      workflowId: claimsWorkflowId(workflowInfo().taskQueue),
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: 'Sessions that batches work on',
    });
  } catch {
    // Another shard has just started it.
  }
}
