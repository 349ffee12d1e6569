import { randomUUID } from 'node:crypto';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { planWithDefaults } from '../contract/guards.js';
import {
  type FinishAnswer,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  type Plan,
  UPDATES,
} from '../contract/index.js';
import { inputOf } from '../temporal/input.js';
import { attachTo, handInWhileWaiting } from './attach.js';
import { isAbortedByEnd } from './failures.js';
import type { WaitOptions } from './options.js';
import type { SessionHost } from './start-session.js';
import { type IfPlanDiffers, isCompleted, isRunning, type ReusePolicy, workflowOptions } from './starting.js';

export interface FinishOptions extends WaitOptions {
  /**
   * What to do if the session's onboarding runs with another plan, as for `start`.
   *
   * @default "refuse"
   */
  ifPlanDiffers?: IfPlanDiffers;
}

/** Incode's answer, and whether the session's onboarding existed before the call. */
export interface FinishedOnboarding extends FinishAnswer {
  /** The onboarding existed before this call, so nothing was started. Missing if this call started it. */
  attached?: true;
  /** The existing onboarding waited for a token and took yours. */
  tokenHandedIn?: true;
  /** The plan that the onboarding follows, including defaults. Missing if this call started it. */
  plan?: Required<Plan>;
}

/** Finishes the session: starts its onboarding in the same request, or attaches to the existing one. */
export async function finishSession(
  { client, taskQueue }: Pick<SessionHost, 'client' | 'taskQueue'>,
  input: OnboardingInput,
  ifPlanDiffers: IfPlanDiffers = 'refuse',
): Promise<FinishedOnboarding | null> {
  const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(input.interviewId));
  let options = workflowOptions(input, { taskQueue });
  let policy: ReusePolicy = 'REJECT_DUPLICATE';
  for (;;) {
    let wasStartedHere: boolean;
    try {
      return await finishNew(client, options, policy);
    } catch (error) {
      wasStartedHere = isAbortedByEnd(error);
      if (!wasStartedHere && !(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const existing = await handle.describe();
    if (isRunning(existing)) {
      const answer = await finishRunning(client, existing, input, ifPlanDiffers);
      if (answer !== 'ended') return answer;
    } else if (!wasStartedHere && !isCompleted(existing)) {
      // The onboarding failed or was cancelled before this request.
      options = workflowOptions({ ...input, verifyFirst: 'settle' }, { taskQueue });
      policy = 'ALLOW_DUPLICATE_FAILED_ONLY';
      continue;
    }
    // The onboarding completed before this request or during it.
    const { finish } = await handle.result();
    const { plan } = (await inputOf<OnboardingInput>(client, existing)) ?? {};
    return finish && { ...finish, attached: true, plan: planWithDefaults(plan) };
  }
}

/**
 * Starts an onboarding and asks it to finish, in one request.
 *
 * The update has a unique id. Attached callers share an id. With that id, the server could return the answer of an onboarding that another
 * caller started, and this call could not tell.
 */
function finishNew(
  client: Client,
  options: ReturnType<typeof workflowOptions>,
  workflowIdReusePolicy: ReusePolicy,
): Promise<FinishAnswer | null> {
  return client.workflow.executeUpdateWithStart<OnboardingWorkflow, FinishAnswer | null, []>(UPDATES.finish, {
    updateId: `${UPDATES.finish}-${randomUUID()}`,
    startWorkflowOperation: new WithStartWorkflowOperation<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
      ...options,
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
    }),
  });
}

/** @returns `ended` if the onboarding ended before it accepted the request */
async function finishRunning(
  client: Client,
  existing: WorkflowExecutionDescription,
  input: OnboardingInput,
  ifPlanDiffers: IfPlanDiffers,
): Promise<FinishedOnboarding | null | 'ended'> {
  const { workflowId } = existing;
  const { plan, otherToken } = await attachTo(client, existing, input, ifPlanDiffers);
  try {
    const pending = askToFinish(client, workflowId);
    const { answer, tokenHandedIn } = await handInWhileWaiting(client, workflowId, otherToken, pending);
    return answer && { ...answer, attached: true, ...(tokenHandedIn ? { tokenHandedIn } : {}), plan };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isAbortedByEnd(error)) return 'ended';
    throw error;
  }
}

/** Attached callers share one update id, so they share one answer and a repeated request adds nothing to the history. */
export function askToFinish(client: Client, workflowId: string): Promise<FinishAnswer | null> {
  return client.workflow
    .getHandle<OnboardingWorkflow>(workflowId)
    .executeUpdate<FinishAnswer | null, []>(UPDATES.finish, { updateId: UPDATES.finish });
}
