import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { isDeadline, sessionFailure } from '../client/failures.js';
import { type FinishAnswer, type OnboardingWorkflow, onboardingWorkflowId, UPDATES } from '../contract/index.js';
import { applicationFailure } from './failures.js';

export interface AnswerActivities {
  /** Waits for Incode's answer to a session that was started; a wait that is over is a failed attempt. */
  awaitAnswer(input: { interviewId: string }): Promise<FinishAnswer | null>;
}

/** Each attempt is billed, and a worker that died is noticed when its attempt should be over. */
const WAIT_MS = 60_000;

export const answerActivities: AnswerActivities = {
  async awaitAnswer({ interviewId }) {
    const { client, cancelled } = Context.current();
    // A worker that stops leaves the wait to another one.
    return await Promise.race([
      cancelled,
      client.withDeadline(Date.now() + WAIT_MS, () => answer(client, interviewId)),
    ]);
  },
};

async function answer(client: Client, interviewId: string): Promise<FinishAnswer | null> {
  const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(interviewId));
  try {
    // The id of all who ask: they share one answer.
    return await handle
      .executeUpdate<FinishAnswer | null, []>(UPDATES.finish, { updateId: UPDATES.finish })
      .catch(async (error) => {
        // What has ended takes no update any more, but has a result.
        if (!(error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError)) throw error;
        return (await handle.result()).finish;
      });
  } catch (error) {
    throw isDeadline(error) ? pending(interviewId) : (applicationFailure(sessionFailure(interviewId, error)) ?? error);
  }
}

/** Nothing is wrong, so nobody has to see it in the logs. */
function pending(interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'AnswerPending',
    message: `Session ${interviewId}: Incode has not answered yet`,
    category: ApplicationFailureCategory.BENIGN,
    // The wait itself was the delay.
    nextRetryDelay: '1 second',
  });
}
