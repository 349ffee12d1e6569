// A service of another team. It is compiled and run where only `temporal-incode` is installed.
import {
  type BatchItem,
  completeBatch,
  connectOnboardingClient,
  TemporalUnavailableError,
} from 'temporal-incode/client';
import { type OnboardingResult, onboardingWorkflowId } from 'temporal-incode/contract';
import { createIncodeClient } from 'temporal-incode/incode';
import { startIncodeSimulator } from 'temporal-incode/testing';

const { INTERVIEW_ID: interviewId = '', SESSION_TOKEN: sessionToken = '', TASK_QUEUE: taskQueue = '' } = process.env;

const onboarding = await connectOnboardingClient({ taskQueue });
const answer = await onboarding.finish({ interviewId, sessionToken });
const result: OnboardingResult = await onboarding.result(interviewId);
await onboarding.close();
console.log(JSON.stringify({ answer, outcome: result.outcome, workflowId: onboardingWorkflowId(interviewId) }));

// If a type were `any`, these lines would compile.
// @ts-expect-error
onboarding.finish({ interviewId: 1 }).catch(() => undefined);
// @ts-expect-error
answer?.action.unknown;

export type { BatchItem };
export { completeBatch, createIncodeClient, startIncodeSimulator, TemporalUnavailableError };
