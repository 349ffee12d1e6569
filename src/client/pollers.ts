import type { Client } from '@temporalio/client';

/** A worker polls again at least once a minute. */
const POLLED_WITHIN_MS = 70_000;

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW_TASKS = 1;

/** @returns when each worker polled last, in ms since the epoch; `null` if the server does not let this caller ask */
export async function lastPollsOf({ workflowService, options }: Client, name: string): Promise<number[] | null> {
  const { namespace } = options;
  try {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType: WORKFLOW_TASKS,
    });
    return pollers.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000);
  } catch {
    return null;
  }
}

/** The server lists workers for minutes after they stop. */
export function isRecent(lastPoll: number): boolean {
  return lastPoll > Date.now() - POLLED_WITHIN_MS;
}

/** @returns that no worker polls the task queue, as readable text; `null` if one does or it is unknown */
export async function missingWorker(client: Client, taskQueue: string): Promise<string | null> {
  const lastPolls = await lastPollsOf(client, taskQueue);
  return lastPolls === null || lastPolls.some(isRecent) ? null : `no worker polls the task queue ${taskQueue}`;
}
