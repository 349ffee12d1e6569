import { randomUUID } from 'node:crypto';
import type { Client, Connection } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { msToNumber, msToTs } from '../temporal/sdk-internals.js';

/**
 * Lets the time of one workflow pass at once: timers, retry delays and deadlines fall due in their order, and activities
 * really run. Everything else keeps the real time. Needs a server that was started with `timeSkipping`.
 *
 * @returns when the time has passed, or the workflow has ended before
 * @throws Error if the server cannot skip time, or does not get there: it skips at most `MAX_SKIPS` times
 */
export async function passTime(client: Client, workflowId: string, duration: Duration): Promise<void> {
  const { workflowService } = client.connection as Connection;
  const { namespace } = client.options;
  const workflowExecution = { workflowId };
  const id = randomUUID();
  await workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution,
    updateMask: { paths: ['time_skipping_config'] },
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        maxSessionSkipCount: MAX_SKIPS,
        fastForwardConfig: { id, duration: msToTs(msToNumber(duration)) },
      },
    },
  });
  for (;;) {
    const { fastForwardPollingResult, failedReason } = await workflowService.pollWorkflowExecutionTimeSkipping({
      namespace,
      workflowExecution,
      fastForwardId: id,
    });
    if (fastForwardPollingResult === COMPLETED) return;
    if (fastForwardPollingResult === POLL_TIMEOUT) continue;
    const { status } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return;
    throw new Error(`The time of ${workflowId} did not pass: ${failedReason}`);
  }
}

// Of Temporal's API: `FastForwardPollingResult`.
const POLL_TIMEOUT = 1;
const COMPLETED = 2;

/** A month of hourly retries and more. It ends what would otherwise be retried for ever without any time passing. */
const MAX_SKIPS = 10_000;
