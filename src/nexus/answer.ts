import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { isDeadline, subjectFailure } from '../client/failures.js';
import { sessionSubject } from '../client/subject.js';
import { type FinishAnswer, type OnboardingWorkflow, onboardingWorkflowId, UPDATES } from '../contract/index.js';
import { applicationFailure } from './failures.js';

export interface AnswerActivities {
  /** Waits for Incode's answer to a session that is already started. A wait that times out fails the attempt, which is retried. */
  awaitAnswer(input: { interviewId: string }): Promise<FinishAnswer | null>;
}

/** Longer waits cost fewer billed attempts. Shorter ones notice a dead worker sooner. */
const WAIT_MS = 60_000;

export const answerActivities: AnswerActivities = {
  async awaitAnswer({ interviewId }) {
    const { client, cancelled } = Context.current();
    // A worker that shuts down leaves the wait to another worker.
    return await Promise.race([
      cancelled,
      client.withDeadline(Date.now() + WAIT_MS, () => answer(client, interviewId)),
    ]);
  },
};

async function answer(client: Client, interviewId: string): Promise<FinishAnswer | null> {
  const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(interviewId));
  try {
    // All waits use the same update id, so they share one answer.
    return await handle
      .executeUpdate<FinishAnswer | null, []>(UPDATES.finish, { updateId: UPDATES.finish })
      .catch(async (error) => {
        // An ended workflow accepts no update, but has a result.
        if (!(error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError)) throw error;
        return (await handle.result()).finish;
      });
  } catch (error) {
    throw isDeadline(error)
      ? pending(interviewId)
      : (applicationFailure(subjectFailure(sessionSubject(interviewId), error)) ?? error);
  }
}

/** BENIGN, because waiting is normal and should not appear in the logs. */
function pending(interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'AnswerPending',
    message: `Session ${interviewId}: Incode has not answered yet`,
    category: ApplicationFailureCategory.BENIGN,
    // The attempt has already waited.
    nextRetryDelay: '1 second',
  });
}
