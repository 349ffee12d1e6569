import { type Client, type WorkflowExecutionDescription, WorkflowFailedError } from '@temporalio/client';

/** Why a run has failed, with the details that the client's codec decodes. @returns `undefined` if it has not failed */
export async function failureOf(
  client: Client,
  { workflowId, runId, status }: WorkflowExecutionDescription,
): Promise<Error | undefined> {
  if (status.name !== 'FAILED') return undefined;
  try {
    await client.workflow.getHandle(workflowId, runId).result();
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowFailedError) return error.cause;
    throw error;
  }
}
