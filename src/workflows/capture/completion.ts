import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, getExternalWorkflowHandle, isCancellation, workflowInfo } from '@temporalio/workflow';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  SIGNALS,
} from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { addEvent } from '../record.js';
import { batchKey } from '../visibility.js';
import type { Person } from './person.js';

/** Completes the session as every other one. */
export async function completeSession(person: Person): Promise<void> {
  const { record, input, plan } = person;
  if (record.session === null) throw new Error('There is no session');
  const { interviewId, sessionToken } = record.session;
  person.enter('completing');
  const session: OnboardingInput = {
    interviewId,
    sessionToken,
    plan: plan.session,
    ...omitUndefined({ flowId: input.configurationId }),
  };
  const workflowId = onboardingWorkflowId(interviewId);
  try {
    record.onboarding = await executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
      workflowId,
      args: [session],
      // If somebody terminates this workflow, the session is still completed.
      parentClosePolicy: 'ABANDON',
      // After a reset, the session may already be completed. Its workflow looks first.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      ...inSameBatch(),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    addEvent(record, 'Another caller has started the workflow of this session');
    await handOver(workflowId, sessionToken);
  }
}

/** `list --batch` finds the sessions of a batch. */
function inSameBatch() {
  const batchId = workflowInfo().typedSearchAttributes.get(batchKey);
  return batchId === undefined ? {} : { typedSearchAttributes: [{ key: batchKey, value: batchId }] };
}

/** The other caller may have no token. */
async function handOver(workflowId: string, sessionToken: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(SIGNALS.renewToken, { sessionToken });
  } catch (error) {
    // It has ended meanwhile.
    if (isCancellation(error)) throw error;
  }
}
