import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { planWithDefaults } from '../contract/guards.js';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  onboardingWorkflowId,
  type Plan,
  SEARCH_ATTRIBUTES,
  STAGES,
  type Stage,
} from '../contract/index.js';

/** What to do if the session's onboarding runs with another plan than the requested one. */
export type IfPlanDiffers = 'refuse' | 'attach';

export interface StartOptions {
  /**
   * What to do if the session is already completed: `refuse` throws a {@link SessionCompletedError}, `return` returns the existing
   * onboarding, `restart` runs it again and reads the session's status first.
   *
   * @default "refuse", because a session must not be completed twice by accident
   */
  ifCompleted?: 'refuse' | 'return' | 'restart';
  /**
   * What to do if the session's onboarding runs with another plan: `refuse` throws a {@link PlanMismatchError}, `attach` keeps that
   * plan and returns it. Only the parts of the plan that you set are compared.
   *
   * @default "refuse", because a caller who asks for `close: true` must not believe that the session will be closed
   */
  ifPlanDiffers?: IfPlanDiffers;
  /** Value of the search attribute `IncodeBatchId`, by which you can list related sessions. @default none */
  batchId?: string;
}

/** The onboarding that `start` started or attached to. */
export interface StartedOnboarding {
  /** Incode's id of the session. */
  interviewId: string;
  /** Id of the session's workflow, for Temporal's own tools. */
  workflowId: string;
  /** Temporal's id of this run. */
  runId: string;
  /** `true` if the onboarding was already running or completed, so nothing was started. */
  attached: boolean;
  /** `true` if the existing onboarding waited for a token and took yours. If `attached` but `false`, your token was not used. */
  tokenHandedIn: boolean;
  /** The plan that the onboarding follows, including defaults. */
  plan: Required<Plan>;
}

export type ReusePolicy = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY' | 'ALLOW_DUPLICATE';

const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);
export const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);

/** Workflow options that every start of an onboarding uses. */
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
    // Search attributes set at the start are free, while the workflow's upserts are billed.
    typedSearchAttributes: new TypedSearchAttributes([
      { key: stageKey, value: stage },
      ...(batchId === undefined ? [] : [{ key: batchKey, value: batchId }]),
    ]),
  };
}

/** @returns `undefined` if the session already has an onboarding that the policy does not replace */
export async function startNew(
  client: Client,
  options: ReturnType<typeof workflowOptions>,
  workflowIdReusePolicy: ReusePolicy,
  requestEagerStart: boolean,
): Promise<StartedOnboarding | undefined> {
  const [{ interviewId, plan }] = options.args;
  const more = { ...options, workflowIdReusePolicy, requestEagerStart };
  const started = await startUnlessKnown(client, ONBOARDING_WORKFLOW, more);
  return started && { interviewId, ...started, attached: false, tokenHandedIn: false, plan: planWithDefaults(plan) };
}

/** @returns `undefined` if there is a workflow already that the policy does not replace */
export async function startUnlessKnown(
  client: Client,
  workflowType: string,
  options: Omit<WorkflowStartOptions, 'workflowIdConflictPolicy'>,
): Promise<{ workflowId: string; runId: string } | undefined> {
  try {
    const handle = await client.workflow.start(workflowType, { ...options, workflowIdConflictPolicy: 'FAIL' });
    return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
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

/** The stage in the search attributes, as `list` shows it. Short stages are not published there. */
export function listedStage<S extends string = Stage>(
  { typedSearchAttributes }: WorkflowExecutionDescription,
  stages: readonly S[] = STAGES as readonly string[] as readonly S[],
): S | null {
  const listed = typedSearchAttributes.get(stageKey);
  return stages.find((stage) => stage === listed) ?? null;
}
