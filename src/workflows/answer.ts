import { proxyActivities } from '@temporalio/workflow';
import type { FinishAnswer } from '../contract/index.js';
import type { AnswerActivities } from '../nexus/answer.js';
import { activityRefusal } from './failures.js';
import { ANSWER_OPTIONS } from './options.js';

const { awaitAnswer } = proxyActivities<AnswerActivities>(ANSWER_OPTIONS);

/** Waits for Incode's answer on behalf of a Nexus operation, and fails as the session does. */
export async function onboardingAnswer(input: { interviewId: string }): Promise<FinishAnswer | null> {
  try {
    return await awaitAnswer(input);
  } catch (error) {
    throw activityRefusal(error)?.failure ?? error;
  }
}
