import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';

/** Numbers of Temporal's `ResetReapplyExcludeType`. The new run gets none of these messages again. */
export const WITHOUT_MESSAGES = { resetReapplyExcludeTypes: [1, 2] };

/**
 * Resets a workflow. The new run keeps the history up to a workflow task.
 *
 * @param eventId of the completion of that task
 * @param more `runId` of another run than the latest one, and other fields of the request
 */
export async function resetTo(
  { workflow, workflowService, options: { namespace } }: Client,
  workflowId: string,
  eventId: unknown,
  { runId, ...more }: { runId?: string; resetReapplyExcludeTypes?: number[] } = {},
): Promise<void> {
  const run = runId ?? (await workflow.getHandle(workflowId).describe()).runId;
  await workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: run },
    reason: 'test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: eventId as never,
    ...more,
  });
}
