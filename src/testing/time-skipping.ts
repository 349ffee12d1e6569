import { randomUUID } from 'node:crypto';
import type { Client, Connection } from '@temporalio/client';
import type { Duration } from '@temporalio/common';
import { msToNumber, msToTs } from '../temporal/sdk-internals.js';

/**
 * Skips time for one workflow. Its timers, retry delays and deadlines fire in order, and its activities run. Everything else keeps the
 * real time. The server must have been started with `timeSkipping`. Resolves once the time has passed or the workflow has ended.
 *
 * @throws Error if the server cannot skip time, or has skipped `MAX_SKIPS` times without reaching the end
 * @example
 * ```ts
 * await passTime(onboarding.temporal, onboardingWorkflowId(interviewId), '7 days');
 * ```
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

// Values of `FastForwardPollingResult` in Temporal's API.
const POLL_TIMEOUT = 1;
const COMPLETED = 2;

/** Enough for more than a month of hourly retries. It ends a fast-forward in which activities retry without any time passing. */
const MAX_SKIPS = 10_000;
