import {
  checkInterviewId,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  onboardingWorkflowId,
  SIGNALS,
  type StatusChangedInput,
} from '../contract/index.js';
import { undeliverable } from './failures.js';
import { checkedInput } from './input.js';
import type { SessionHost } from './start-session.js';
import { workflowOptions } from './starting.js';
import { withTemporalErrors } from './temporal-failure.js';

/** Passes a status from Incode's webhook to the session's onboarding, and starts one if `start` is given and there was none. */
export function statusChanged(
  { client, taskQueue }: Pick<SessionHost, 'client' | 'taskQueue'>,
  { interviewId, onboardingStatus }: StatusChangedInput,
  start: Omit<OnboardingInput, 'interviewId'> | undefined,
): Promise<'delivered' | 'ended' | 'unknownSession'> {
  const signalArgs: [StatusChangedInput] = [{ interviewId: checkInterviewId(interviewId), onboardingStatus }];
  const input = start && checkedInput({ ...start, interviewId });
  return withTemporalErrors(client, async () => {
    try {
      if (!input) {
        await client.workflow.getHandle(onboardingWorkflowId(interviewId)).signal(SIGNALS.statusChanged, ...signalArgs);
      } else {
        await client.workflow.signalWithStart(ONBOARDING_WORKFLOW, {
          ...workflowOptions(input, { taskQueue }),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          signal: SIGNALS.statusChanged,
          signalArgs,
        });
      }
      return 'delivered';
    } catch (error) {
      const reason = undeliverable(error);
      if (reason) return reason;
      throw error;
    }
  });
}
