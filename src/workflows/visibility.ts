import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { type Outcome, SEARCH_ATTRIBUTES, type Stage } from '../contract/index.js';

const stageKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);
const outcomeKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome, SearchAttributeType.KEYWORD);

/** A stage that is over in a moment: shown in the Web UI, not worth a search attribute, since every upsert is billed. */
export function publishStage(stage: Stage): void {
  setCurrentDetails(`**${stage}**`);
}

/** A wait that may be long, or its end: to be found by `list` too. */
export function publishWait(stage: Stage, what: string): void {
  setCurrentDetails(`**${stage}**: ${what}`);
  upsertSearchAttributes([{ key: stageKey, value: stage }]);
}

export function publishOutcome(outcome: Outcome, reason: string): void {
  setCurrentDetails(`**${outcome}**: ${reason}`);
  upsertSearchAttributes([
    { key: stageKey, value: 'done' },
    { key: outcomeKey, value: outcome },
  ]);
}
