import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import {
  type FinishAnswer,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  SEARCH_ATTRIBUTES,
  type Stage,
  UPDATES,
} from '../contract/index.js';

export interface StartOptions {
  /**
   * What to do if the session was completed before: `refuse` throws a {@link SessionCompletedError}, `return` leaves it
   * completed, `restart` goes through it again, reading its status first.
   *
   * @default "refuse": completing a session twice is what this package exists to prevent.
   */
  ifCompleted?: 'refuse' | 'return' | 'restart';
  /** Search attribute `IncodeBatchId`, to find sessions that belong together. @default none */
  batchId?: string;
}

export interface StartedOnboarding {
  interviewId: string;
  workflowId: string;
  runId: string;
  /** The session was running, or completed, before this call: nothing was started, and the given input was not used. */
  attached: boolean;
}

export type ReusePolicy = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'ALLOW_DUPLICATE';

const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);
const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);

/** What every way of starting an onboarding has in common. */
export function workflowOptions(
  input: OnboardingInput,
  { taskQueue, batchId }: { taskQueue: string; batchId?: string },
) {
  const { finishWhen = 'now' } = input.plan ?? {};
  const stage: Stage = finishWhen === 'now' ? 'finishing' : 'waiting';
  return {
    workflowId: onboardingWorkflowId(input.interviewId),
    taskQueue,
    args: [input] as [OnboardingInput],
    staticSummary: `Incode session ${input.interviewId}`,
    // Set at the start they cost nothing; the workflow's own upserts are billed.
    typedSearchAttributes: new TypedSearchAttributes([
      { key: stageKey, value: stage },
      ...(batchId === undefined ? [] : [{ key: batchKey, value: batchId }]),
    ]),
  };
}

/** @returns `undefined` if the session has an onboarding already that the policy does not pass over */
export async function startNew(
  client: Client,
  options: ReturnType<typeof workflowOptions>,
  workflowIdReusePolicy: ReusePolicy,
  requestEagerStart: boolean,
): Promise<StartedOnboarding | undefined> {
  try {
    const handle = await client.workflow.start(ONBOARDING_WORKFLOW, {
      ...options,
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
      requestEagerStart,
    });
    const { workflowId, firstExecutionRunId: runId } = handle;
    return { interviewId: options.args[0].interviewId, workflowId, runId, attached: false };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

/** Starts an onboarding unless one runs, and asks it to finish: one request, one answer. */
export function finishWithStart(
  client: Client,
  options: ReturnType<typeof workflowOptions>,
  workflowIdReusePolicy: ReusePolicy,
  updateId: string,
): Promise<FinishAnswer | null> {
  return client.workflow.executeUpdateWithStart<OnboardingWorkflow, FinishAnswer | null, []>(UPDATES.finish, {
    updateId,
    startWorkflowOperation: new WithStartWorkflowOperation<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
      ...options,
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  });
}

/** A server that is there answers within milliseconds, a busy one within a few seconds. */
const CONFIRM_TIMEOUT_MS = 5_000;

/**
 * A start that was not answered in time may never have reached the server.
 *
 * @throws whatever Temporal's client throws if the server does not tell that it has the onboarding
 */
export async function confirmStarted(client: Client, interviewId: string): Promise<void> {
  const handle = client.workflow.getHandle(onboardingWorkflowId(interviewId));
  await client.withDeadline(Date.now() + CONFIRM_TIMEOUT_MS, () => handle.describe());
}

export function isRunning({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

export function isCompleted({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'COMPLETED';
}

/** Whether what a request came to is no answer to it, but to one that was made before, or to none. */
export function isOfAnotherRun(error: unknown, { closeTime }: WorkflowExecutionDescription, askedAt: number): boolean {
  // Its run has ended, however shortly ago, and this request has not begun one.
  if (error instanceof WorkflowExecutionAlreadyStartedError) return true;
  return error instanceof WorkflowUpdateFailedError && closeTime !== undefined && closeTime.getTime() < askedAt;
}

export function attachedTo(
  { workflowId, runId }: WorkflowExecutionDescription,
  interviewId: string,
): StartedOnboarding {
  return { interviewId, workflowId, runId, attached: true };
}
