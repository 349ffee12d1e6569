import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { type OnboardingState, type Outcome, SEARCH_ATTRIBUTES, type Stage } from '../contract/index.js';
import { LONG_STAGES } from '../contract/long-stages.js';

const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);
const outcomeKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome, SearchAttributeType.KEYWORD);

const LONG: readonly (string | undefined)[] = LONG_STAGES;

/** For `list`: when a long wait begins, and when it is over, or an outage afterwards would hide behind it. */
export function publishStage(stage: Stage): void {
  const listed = workflowInfo().typedSearchAttributes.get(stageKey);
  if (listed === stage || !(LONG.includes(stage) || LONG.includes(listed))) return;
  upsertSearchAttributes([{ key: stageKey, value: stage }]);
}

export function publishOutcome(outcome: Outcome): void {
  upsertSearchAttributes([
    { key: stageKey, value: 'done' },
    { key: outcomeKey, value: outcome },
  ]);
}

/** For support staff at the Web UI. Costs nothing: it is part of no event. */
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
