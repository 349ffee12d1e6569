import type { Client } from '@temporalio/client';
import { onboardingWorkflowId } from '../../src/contract/index.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

export function fetchHistory(client: Client, interviewId: string): Promise<History> {
  return client.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
}

/**
 * All text of a history: payloads decoded, failures with their stack traces. Without the inputs of the workflow, its
 * activities and its updates, which have to carry the token to where it is used.
 */
export function textWithoutInputs(history: History): string {
  return JSON.stringify(history.events, (key, value) => {
    if (key === 'input' || key === 'acceptedRequest') return undefined;
    if (value instanceof Uint8Array || value?.type === 'Buffer')
      return Buffer.from(value.data ?? value).toString('utf8');
    return value;
  });
}

/** Attempts of an activity, as Temporal counted them: a failed attempt leaves no event, only the number of its successor. */
export function attemptsOf(history: History, activity: string): number {
  const events = history.events ?? [];
  const scheduled = new Set(
    events
      .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity)
      .map((event) => String(event.eventId)),
  );
  return events
    .map((event) => event.activityTaskStartedEventAttributes)
    .filter((started) => started && scheduled.has(String(started.scheduledEventId)))
    .reduce((sum, started) => sum + (started?.attempt ?? 0), 0);
}
