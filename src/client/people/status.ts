import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import {
  type CaptureResult,
  type CaptureState,
  type CaptureWorkflow,
  type OnboardingWorkflow,
  onboardingWorkflowId,
} from '../../contract/index.js';
import { type SessionStatus, sessionStatus, type WorkflowStatus, workflowStatus } from '../status.js';

/** State of a person's onboarding, for people on call. */
export interface PersonStatus extends WorkflowStatus<CaptureState, CaptureResult> {
  /** Your own id of the person. */
  reference: string;
  /** The onboarding of the session in the stage `completing`: what it waits for, and its call. `null` in every other stage. */
  session: SessionStatus | null;
}

export async function personStatus(
  client: Client,
  reference: string,
  handle: WorkflowHandle<CaptureWorkflow>,
): Promise<PersonStatus> {
  const found = await workflowStatus<CaptureState, CaptureResult>(client, handle);
  const { stage, interviewId } = found.state ?? {};
  const session = stage === 'completing' && interviewId ? await completing(client, interviewId) : null;
  return { reference, ...found, session };
}

/** @returns `null` if the session's workflow has not been started yet */
async function completing(client: Client, interviewId: string): Promise<SessionStatus | null> {
  try {
    const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(interviewId));
    return await sessionStatus(client, interviewId, handle);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
