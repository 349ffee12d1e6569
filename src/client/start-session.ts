import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { planWithDefaults } from '../contract/guards.js';
import { type OnboardingInput, type OnboardingWorkflow, onboardingWorkflowId } from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { inputOf } from '../temporal/input.js';
import { attachTo, handInIfNeeded } from './attach.js';
import { SessionCompletedError } from './errors.js';
import { DEFAULT_TIMEOUT_MS } from './options.js';
import { requestFor } from './request.js';
import {
  type IfPlanDiffers,
  isCompleted,
  isRunning,
  type StartedOnboarding,
  type StartOptions,
  startNew,
  workflowOptions,
} from './starting.js';
import { sessionSubject } from './subject.js';

/** Settings shared by all sessions of a client. */
export interface SessionHost {
  client: Client;
  taskQueue: string;
  requestEagerStart: boolean;
}

/** Starts the session's onboarding, or attaches to the existing one. */
export async function startSession(
  { client, taskQueue, requestEagerStart }: SessionHost,
  input: OnboardingInput,
  { ifCompleted = 'refuse', ifPlanDiffers = 'refuse', batchId }: StartOptions,
): Promise<StartedOnboarding> {
  const { interviewId } = input;
  const queued = { taskQueue, ...omitUndefined({ batchId }) };
  const started = await startNew(client, workflowOptions(input, queued), 'REJECT_DUPLICATE', requestEagerStart);
  if (started) return started;

  const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(interviewId));
  const existing = await handle.describe();
  if (isRunning(existing)) return attached(client, existing, input, ifPlanDiffers);
  if (isCompleted(existing) && ifCompleted !== 'restart') {
    if (ifCompleted === 'refuse') throw new SessionCompletedError(await handle.result());
    const { workflowId, runId } = existing;
    const plan = planWithDefaults((await inputOf<OnboardingInput>(client, existing))?.plan);
    return { interviewId, workflowId, runId, attached: true, tokenHandedIn: false, plan };
  }
  const again = await startNew(
    client,
    workflowOptions({ ...input, verifyFirst: 'settle' }, queued),
    ifCompleted === 'restart' ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
    requestEagerStart,
  );
  // If another caller was faster, attach to the onboarding that it started.
  return again ?? attached(client, await handle.describe(), input, ifPlanDiffers);
}

async function attached(
  client: Client,
  existing: WorkflowExecutionDescription,
  input: OnboardingInput,
  ifPlanDiffers: IfPlanDiffers,
): Promise<StartedOnboarding> {
  const { workflowId, runId } = existing;
  const { plan, otherToken } = await attachTo(client, existing, input, ifPlanDiffers);
  const { interviewId } = input;
  // With a timeout, because there may be no worker to take the token.
  const handIn = () => handInIfNeeded(client, workflowId, otherToken);
  const tokenHandedIn = await requestFor(
    client,
    sessionSubject(interviewId),
    { timeoutMs: DEFAULT_TIMEOUT_MS },
    handIn,
  );
  return { interviewId, workflowId, runId, attached: true, tokenHandedIn, plan };
}
