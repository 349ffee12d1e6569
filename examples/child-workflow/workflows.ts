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

/** Has the person's session completed by the workers of temporal-incode, and opens an account for who passed. */
export async function signUp({ interviewId, sessionToken }: SignUp): Promise<{ account: string | null }> {
  const { outcome } = await executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
    taskQueue: TASK_QUEUE,
    workflowId: onboardingWorkflowId(interviewId),
    args: [{ interviewId, sessionToken, plan: { review: 'wait' } }],
    // If this workflow is terminated the session is completed all the same; if it is cancelled, so is the session.
    parentClosePolicy: 'ABANDON',
  });
  return { account: outcome === 'approved' ? `account-of-${interviewId}` : null };
}
