import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { getClient, startWorkflow, WorkflowRunOperationHandler } from '@temporalio/nexus';
import {
  HandlerStartOperationResult,
  type OperationContext,
  type OperationHandler,
  type ServiceHandler,
  serviceHandler,
} from 'nexus-rpc';
import { AnswerPendingError } from '../client/errors.js';
import type { FinishedOnboarding } from '../client/finish-session.js';
import { checkedInput } from '../client/input.js';
import { OnboardingClient } from '../client/onboarding-client.js';
import { isCompleted, type ReusePolicy, workflowOptions } from '../client/starting.js';
import {
  ANSWER_WORKFLOW,
  answerWorkflowId,
  type FinishAnswer,
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingWorkflow,
  onboardingWorkflowId,
} from '../contract/index.js';
import { nexusError } from './failures.js';
import { onboardingService, type SessionState } from './index.js';
import { checkedSession } from './input.js';

/**
 * How long `finish` waits before a workflow takes over the wait. A healthy Incode answers within a second. A waiting handler occupies a
 * slot that `renewToken`, which may end an outage, needs too.
 */
const HANDLER_WAIT_MS = 2_000;

/** Time reserved to send the answer before the request's deadline. */
const MARGIN_MS = 500;

/** @param taskQueue the task queue of the workers that complete sessions */
export function onboardingServiceHandler(taskQueue: string): ServiceHandler {
  return serviceHandler(onboardingService, {
    finish: finishing(taskQueue),
    complete: completing(taskQueue),
    start: (context, input) =>
      answering(context, taskQueue, (onboarding) => onboarding.start(input, { ifCompleted: 'return' })),
    state: (context, input) =>
      answering(context, taskQueue, async (onboarding) => {
        const { interviewId } = checkedSession(input);
        // In JSON, times are text.
        return (await onboarding.state(interviewId)) as unknown as SessionState;
      }),
    // The request's id deduplicates retries, even after the onboarding has ended.
    renewToken: (context, input) =>
      answering(context, taskQueue, (onboarding, timeoutMs) => {
        const { interviewId, sessionToken } = checkedSession(input, 'sessionToken');
        return onboarding.renewToken(interviewId, sessionToken, { updateId: context.requestId, timeoutMs });
      }),
    extendDeadline: (context, input) =>
      answering(context, taskQueue, (onboarding, timeoutMs) => {
        const { interviewId, by } = checkedSession(input, 'by');
        return onboarding.extendDeadline(interviewId, by, { updateId: context.requestId, timeoutMs });
      }),
    cancel: (context, input) =>
      answering(context, taskQueue, (onboarding) => {
        const { interviewId } = checkedSession(input);
        return onboarding.cancel(interviewId);
      }),
  });
}

/** Answers at once if Incode is quick. Otherwise a workflow waits for the answer. */
function finishing(taskQueue: string): OperationHandler<OnboardingInput, FinishAnswer | null> {
  const waiting = new WorkflowRunOperationHandler<OnboardingInput, FinishAnswer | null>((context, { interviewId }) =>
    startWorkflow<(input: { interviewId: string }) => Promise<FinishAnswer | null>>(context, ANSWER_WORKFLOW, {
      // One workflow for each operation, so that cancelling one does not affect others.
      workflowId: answerWorkflowId(interviewId, context.requestId),
      args: [{ interviewId }],
      staticSummary: `Wait for Incode's answer to session ${interviewId}`,
    }),
  );
  return {
    start: (context, input) =>
      answering(context, taskQueue, async (onboarding) => {
        try {
          const finished = await onboarding.finish(input, { timeoutMs: HANDLER_WAIT_MS });
          return HandlerStartOperationResult.sync(finished && answerOf(finished));
        } catch (error) {
          if (!(error instanceof AnswerPendingError)) throw error;
        }
        // The timeout may have come before the start was confirmed.
        await onboarding.start(input, { ifCompleted: 'return' });
        return waiting.start(context, input);
      }),
    cancel: (context, token) => waiting.cancel(context, token),
  };
}

/** The contract's answer, without the fields that only clients use. */
function answerOf({ attached: _, tokenHandedIn: __, plan: ___, ...answer }: FinishedOnboarding): FinishAnswer {
  return answer;
}

interface Start {
  input: OnboardingInput;
  workflowIdReusePolicy: ReusePolicy;
}

/** The onboarding itself is the operation: Temporal reports its end to the caller's server. */
function completing(taskQueue: string): OperationHandler<OnboardingInput, OnboardingResult> {
  const running = new WorkflowRunOperationHandler<Start, OnboardingResult>((context, start) =>
    startWorkflow<OnboardingWorkflow>(context, ONBOARDING_WORKFLOW, {
      ...workflowOptions(start.input, { taskQueue }),
      workflowIdReusePolicy: start.workflowIdReusePolicy,
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
  return {
    start: (context, request) =>
      answering(context, taskQueue, async (onboarding) => {
        const input = checkedInput(request);
        const { interviewId } = input;
        try {
          return await running.start(context, { input, workflowIdReusePolicy: 'REJECT_DUPLICATE' });
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        }
        const ended = await onboarding.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).describe();
        if (isCompleted(ended)) return HandlerStartOperationResult.sync(await onboarding.result(interviewId));
        const again: OnboardingInput = { ...input, verifyFirst: 'settle' };
        return running.start(context, { input: again, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' });
      }),
    cancel: (context, token) => running.cancel(context, token),
  };
}

async function answering<T>(
  { requestDeadline }: OperationContext,
  taskQueue: string,
  request: (onboarding: OnboardingClient, timeoutMs: number) => Promise<T>,
): Promise<T> {
  const client = getClient();
  const onboarding = new OnboardingClient({ client, taskQueue });
  const deadline = (requestDeadline?.getTime() ?? Date.now() + 10_000) - MARGIN_MS;
  try {
    return await client.withDeadline(
      deadline,
      async () => await request(onboarding, Math.max(1, deadline - Date.now())),
    );
  } catch (error) {
    throw nexusError(error);
  }
}
