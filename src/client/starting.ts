import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  onboardingWorkflowId,
  type Plan,
  planWithDefaults,
  SEARCH_ATTRIBUTES,
  STAGES,
  type Stage,
} from '../contract/index.js';

/** What to do if the session's onboarding runs with another plan than the given one. */
export type IfPlanDiffers = 'refuse' | 'attach';

export interface StartOptions {
  /**
   * What to do if the session was completed before: `refuse` throws a {@link SessionCompletedError}, `return` leaves it
   * completed, `restart` goes through it again, reading its status first.
   *
   * @default "refuse", because this package exists to prevent that a session is completed twice
   */
  ifCompleted?: 'refuse' | 'return' | 'restart';
  /**
   * What to do if the session's onboarding runs with another plan: `refuse` throws a {@link PlanMismatchError}, `attach` leaves
   * it as it is and returns its plan. Only the parts of the plan that you give are compared.
   *
   * @default "refuse", because a caller who asks for `close: true` must not believe that the session will be closed
   */
  ifPlanDiffers?: IfPlanDiffers;
  /** Value of the search attribute `IncodeBatchId`, to find sessions that belong together. @default none */
  batchId?: string;
}

export interface StartedOnboarding {
  interviewId: string;
  workflowId: string;
  runId: string;
  /** The session was running, or completed, before this call: nothing was started. */
  attached: boolean;
  /** The onboarding that was attached to waited for a token, and got the given one. Otherwise the given one was not used. */
  tokenHandedIn: boolean;
  /** The plan that the onboarding follows, its defaults filled in. */
  plan: Required<Plan>;
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
  const [{ interviewId, plan }] = options.args;
  try {
    const handle = await client.workflow.start(ONBOARDING_WORKFLOW, {
      ...options,
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
      requestEagerStart,
    });
    const { workflowId, firstExecutionRunId: runId } = handle;
    return { interviewId, workflowId, runId, attached: false, tokenHandedIn: false, plan: planWithDefaults(plan) };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

export function isRunning({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

export function isCompleted({ status }: WorkflowExecutionDescription): boolean {
  return status.name === 'COMPLETED';
}

/** The stage as `list` shows it: short stages are not published. */
export function listedStage({ typedSearchAttributes }: WorkflowExecutionDescription): Stage | null {
  const listed = typedSearchAttributes.get(stageKey);
  return STAGES.find((stage) => stage === listed) ?? null;
}
