import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { onboardingWorkflowId } from '../../src/contract/index.js';

export type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

export function fetchHistory(client: Client, interviewId: string): Promise<History> {
  return client.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
}

/**
 * All text of a history: payloads decoded, failures with their stack traces. Inputs of the workflow, its activities and its updates are
 * left out, because they must contain the token.
 */
export function textWithoutInputs(history: History): string {
  return textOf(history.events, ['input', 'acceptedRequest']);
}

/**
 * All text and all bytes of a value. JSON.stringify would not do: Temporal's messages print bytes as base64, in which no text can be
 * found.
 */
export function textOf(value: unknown, without: readonly string[] = []): string {
  if (typeof value === 'string') return `${value}\n`;
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('latin1')}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .filter(([key]) => !without.includes(key))
    .map(([key, part]) => `${Array.isArray(value) ? '' : `${key}: `}${textOf(part, without)}`)
    .join('');
}

/** All text of a value's payloads, decrypted with the client's keys. */
export async function decryptedTextOf({ options }: Client, value: unknown): Promise<string> {
  let payloads = payloadsIn(value);
  for (const codec of options.loadedDataConverter.payloadCodecs) payloads = await codec.decode(payloads);
  return textOf(payloads);
}

function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value as Payload];
  return Object.values(value).flatMap(payloadsIn);
}

/** The first argument of each call of an activity, in the order of the calls. */
export function inputsOf<T>(history: History, activity: string): T[] {
  return (history.events ?? [])
    .map((event) => event.activityTaskScheduledEventAttributes)
    .filter((scheduled) => scheduled?.activityType?.name === activity)
    .map((scheduled) => decoded<T>(scheduled?.input?.payloads?.[0]));
}

/** The task queue of each call of an activity, in the order of the calls. */
export function taskQueuesOf(history: History, activity: string): (string | null | undefined)[] {
  return (history.events ?? [])
    .map((event) => event.activityTaskScheduledEventAttributes)
    .filter((scheduled) => scheduled?.activityType?.name === activity)
    .map((scheduled) => scheduled?.taskQueue?.name);
}

/** The first argument of the workflow's run. */
export function startInputOf<T>(history: History): T {
  return decoded<T>(history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]);
}

function decoded<T>(payload: Payload | null | undefined): T {
  if (!payload) throw new Error('The history has no such input');
  return defaultPayloadConverter.fromPayload<T>(payload);
}

/** The attempts of an activity, as Temporal counts them. A failed attempt leaves no event, only the number of the next attempt. */
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

/**
 * The actions that Temporal bills: starts, timers, signals, updates, search attributes, and each attempt of an activity.
 *
 * @param without activities that are not counted. @default none
 */
export function billableActions(history: History, without: readonly string[] = []): number {
  const events = history.events ?? [];
  const counted = events.filter(
    (event) =>
      event.workflowExecutionStartedEventAttributes ||
      event.timerStartedEventAttributes ||
      event.workflowExecutionSignaledEventAttributes ||
      event.workflowExecutionUpdateAcceptedEventAttributes ||
      event.upsertWorkflowSearchAttributesEventAttributes,
  );
  const attempts = new Set(scheduledActivities(history).filter((activity) => !without.includes(activity)));
  return [...attempts].reduce((sum, activity) => sum + attemptsOf(history, activity), counted.length);
}

/** Messages of failed workflow tasks. The server retries a failed task endlessly, so the workflow is stuck. */
export function failedTasks(history: History): string[] {
  return (history.events ?? [])
    .map((event) => event.workflowTaskFailedEventAttributes)
    .filter((failed) => failed && !INTERRUPTED.includes(failed.cause ?? 0))
    .map((failed) => failed?.failure?.message ?? 'a workflow task failed');
}

/** Causes in Temporal's API that are harmless: messages came while the workflow was ending, or too many at once. The server retries. */
const INTERRUPTED: readonly number[] = [1, 17, 31];

/** Activities whose end is not in the history. */
export function openActivities(history: History): string[] {
  const events = history.events ?? [];
  const ended = new Set(
    events
      .map(
        (event) =>
          event.activityTaskCompletedEventAttributes ??
          event.activityTaskFailedEventAttributes ??
          event.activityTaskTimedOutEventAttributes ??
          event.activityTaskCanceledEventAttributes,
      )
      .map((end) => end && String(end.scheduledEventId)),
  );
  return events
    .filter((event) => event.activityTaskScheduledEventAttributes && !ended.has(String(event.eventId)))
    .map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? 'unknown');
}

export function scheduledActivities(history: History): string[] {
  return (history.events ?? []).flatMap(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
  );
}
