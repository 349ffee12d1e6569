import { executeChild } from '@temporalio/workflow';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  TASK_QUEUE,
} from 'temporal-incode/contract';

export interface SignUp {
  interviewId: string;
  sessionToken: string;
}

/** Completes the person's session on the workers of temporal-incode, and opens an account if it was approved. */
export async function signUp({ interviewId, sessionToken }: SignUp): Promise<{ account: string | null }> {
  const { outcome } = await executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
    taskQueue: TASK_QUEUE,
    workflowId: onboardingWorkflowId(interviewId),
    args: [{ interviewId, sessionToken, plan: { review: 'wait' } }],
    // The session continues if this workflow is terminated, and is cancelled if this workflow is cancelled.
    parentClosePolicy: 'ABANDON',
  });
  return { account: outcome === 'approved' ? `account-of-${interviewId}` : null };
}
