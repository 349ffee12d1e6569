import { executeChild } from '@temporalio/workflow';
import { onboardingWorkflowId } from 'temporal-incode/contract';
import { onboardingSession } from 'temporal-incode/workflows';

// A bundle's exports are its workflows, so this line adds ours.
export { onboardingSession };

export interface SignUp {
  interviewId: string;
  sessionToken: string;
}

/** Completes the person's session on this worker, and opens an account if it was approved. */
export async function signUp({ interviewId, sessionToken }: SignUp): Promise<{ account: string | null }> {
  const { outcome } = await executeChild(onboardingSession, {
    workflowId: onboardingWorkflowId(interviewId),
    args: [{ interviewId, sessionToken, plan: { review: 'wait' } }],
    // The session continues if this workflow is terminated, and is cancelled if this workflow is cancelled.
    parentClosePolicy: 'ABANDON',
  });
  return { account: outcome === 'approved' ? `account-of-${interviewId}` : null };
}
