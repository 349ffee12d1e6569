// Workflows of another team, bundled like theirs.
import { executeChild, type ParentClosePolicy, proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_OPTIONS, type FinishStatusResult, type IncodeActivities } from 'temporal-incode/activity-options';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingWorkflow,
  onboardingWorkflowId,
} from 'temporal-incode/contract';

const { finishStatus } = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS.finishStatus);

/** Passes no `verifyFirst`, so that only the activity itself prevents a second finish. */
export async function finishing(session: { interviewId: string; sessionToken: string }): Promise<FinishStatusResult> {
  return finishStatus(session);
}

export interface Parent {
  input: OnboardingInput;
  /** The task queue of the worker that runs `onboardingSession`. */
  taskQueue: string;
  parentClosePolicy?: ParentClosePolicy;
}

export async function parent({ input, taskQueue, parentClosePolicy = 'ABANDON' }: Parent): Promise<OnboardingResult> {
  return executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
    workflowId: onboardingWorkflowId(input.interviewId),
    taskQueue,
    args: [input],
    parentClosePolicy,
  });
}
