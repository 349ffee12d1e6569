import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  type BatchProgress,
  type OnboardingState,
  type Outcome,
  SEARCH_ATTRIBUTES,
  type Stage,
} from '../contract/index.js';
import { LONG_STAGES } from '../contract/long-stages.js';

export const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);
/** The batch that a session or a person belongs to. */
export const batchKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.batchId, SearchAttributeType.KEYWORD);
const outcomeKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome, SearchAttributeType.KEYWORD);

/** Publishes the begin and the end of a long wait for `list`. Without the end, `list` would show a wait during a later outage. */
export function publishStage(stage: Stage): void {
  const published = workflowInfo().typedSearchAttributes.get(stageKey);
  if (published === stage || !(isLong(stage) || isLong(published))) return;
  upsertSearchAttributes([{ key: stageKey, value: stage }]);
}

function isLong(stage: string | undefined): boolean {
  return LONG_STAGES.some((long) => long === stage);
}

export function publishOutcome(outcome: Outcome): void {
  upsertSearchAttributes([
    { key: stageKey, value: 'done' },
    { key: outcomeKey, value: outcome },
  ]);
}

/** Shows the state in the Web UI. This is free, because it adds no event to the history. */
export function publishDetails({ stage, waitingFor, deadline, onboardingStatus }: OnboardingState): void {
  const facts = [
    waitingFor ? `**${stage}**: waits for ${waitingFor}` : `**${stage}**`,
    ...(deadline ? [`ends by itself at ${deadline}`] : []),
    ...(onboardingStatus ? [`Incode's status: ${onboardingStatus}`] : []),
  ];
  setCurrentDetails(facts.join('\n\n'));
}

export function publishResult(outcome: Outcome, reason: string): void {
  setCurrentDetails(`**${outcome}**: ${reason}`);
}

/** Shows the state of a shard in the Web UI. */
export function publishProgress({ total, done, failed, waiting, paused, heldUpBy }: BatchProgress): void {
  const counts = `${done} of ${total} done, ${failed} failed, ${waiting} waiting`;
  setCurrentDetails(
    [counts, ...(paused ? ['paused'] : []), ...(heldUpBy ? [`held up: ${heldUpBy}`] : [])].join('\n\n'),
  );
}
