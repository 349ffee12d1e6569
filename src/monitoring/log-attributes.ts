import type { ActivityInterceptors } from '@temporalio/worker';
import { omitUndefined } from '../contract/omit-undefined.js';

/** The ids that the contract's `batchWorkflowId`, `captureBatchWorkflowId` and `onboardingWorkflowId` build. */
const BATCH_WORKFLOW_ID = /^incode-(?:capture-)?batch\/([^/]+)\/\d+$/;
const ONBOARDING_WORKFLOW_ID = /^incode-onboarding\/(.+)$/;

/**
 * Adds the session's or batch's id to every log line of an activity. The SDK adds workflow, run, activity and attempt, and creates one
 * interceptor for each activity.
 */
export function logAttributes(): ActivityInterceptors {
  let interviewId: unknown;
  return {
    inbound: {
      execute(input, next) {
        interviewId = (input.args[0] as { interviewId?: unknown } | undefined)?.interviewId;
        return next(input);
      },
    },
    outbound: {
      getLogAttributes(input, next) {
        // Anyone with the task token could complete the activity. `namespace` and `isLocal` are always the same.
        const { taskToken: _, namespace: __, isLocal: ___, ...attributes } = next(input);
        const workflowId = String(attributes.workflowId);
        const [, batchId] = BATCH_WORKFLOW_ID.exec(workflowId) ?? [];
        // The first log line of an activity comes before its input is known.
        const session = interviewId ?? ONBOARDING_WORKFLOW_ID.exec(workflowId)?.[1];
        return {
          ...attributes,
          ...(typeof session === 'string' ? { interviewId: session } : {}),
          ...omitUndefined({ batchId }),
        };
      },
    },
  };
}
