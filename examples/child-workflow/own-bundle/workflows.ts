import { executeChild } from '@temporalio/workflow';
import { onboardingWorkflowId } from 'temporal-incode/contract';
import { onboardingSession } from 'temporal-incode/workflows';

// What a bundle exports are its workflows: with this line ours is one of them.
export { onboardingSession };

export interface SignUp {
  interviewId: string;
  sessionToken: string;
}

/** Has the person's session completed by this very worker, and opens an account for who passed. */
export async function signUp({ interviewId, sessionToken }: SignUp): Promise<{ account: string | null }> {
  const { outcome } = await executeChild(onboardingSession, {
    workflowId: onboardingWorkflowId(interviewId),
    args: [{ interviewId, sessionToken, plan: { review: 'wait' } }],
    // If this workflow is terminated the session is completed all the same; if it is cancelled, so is the session.
    parentClosePolicy: 'ABANDON',
  });
  return { account: outcome === 'approved' ? `account-of-${interviewId}` : null };
}
