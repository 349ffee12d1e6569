import type { ActivityInterceptors } from '@temporalio/worker';

/** As `batchWorkflowId` and `onboardingWorkflowId` of the contract make them. */
const BATCH_WORKFLOW_ID = /^incode-batch\/([^/]+)\/\d+$/;
const ONBOARDING_WORKFLOW_ID = /^incode-onboarding\/(.+)$/;

/**
 * Puts the session's or the batch's id on every line that an activity logs, beside workflow, run, activity and attempt, which the SDK
 * puts there. One is made for each activity.
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
        // With the token anybody could end the activity in the worker's place, and `namespace` and `isLocal` never differ.
        const { taskToken: _, namespace: __, isLocal: ___, ...attributes } = next(input);
        const workflowId = String(attributes.workflowId);
        const [, batchId] = BATCH_WORKFLOW_ID.exec(workflowId) ?? [];
        // The line that an activity has started comes before its input.
        const session = interviewId ?? ONBOARDING_WORKFLOW_ID.exec(workflowId)?.[1];
        return {
          ...attributes,
          ...(typeof session === 'string' ? { interviewId: session } : {}),
          ...(batchId === undefined ? {} : { batchId }),
        };
      },
    },
  };
}
