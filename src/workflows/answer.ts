import { proxyActivities } from '@temporalio/workflow';
import type { FinishAnswer } from '../contract/index.js';
import type { AnswerActivities } from '../nexus/answer.js';
import { activityRefusal, guarded } from './failures.js';
import { ANSWER_OPTIONS } from './options.js';
import { readableInput } from './unreadable.js';

const { awaitAnswer } = proxyActivities<AnswerActivities>(ANSWER_OPTIONS);

/** Waits for Incode's answer on behalf of a Nexus operation. Fails with the session's failure. */
export async function onboardingAnswer(input: { interviewId: string }): Promise<FinishAnswer | null> {
  const checkedInput = guarded(() => readableInput(input));
  try {
    return await awaitAnswer(checkedInput);
  } catch (error) {
    throw activityRefusal(error)?.failure ?? error;
  }
}
