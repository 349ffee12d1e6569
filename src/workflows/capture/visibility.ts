import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { CaptureState } from '../../contract/index.js';
import { LONG_CAPTURE_STAGES } from '../../contract/long-stages.js';
import { stageKey } from '../visibility.js';

/** Shows the state in the Web UI, and the stages that can last for days in a search attribute, because every upsert is billed. */
export function publishCapture({ stage, waitingFor, deadline, interviewId }: CaptureState): void {
  const facts = [
    waitingFor ? `**${stage}**: waits for ${waitingFor}` : `**${stage}**`,
    ...(deadline ? [`ends by itself at ${deadline}`] : []),
    ...(interviewId ? [`Incode's session: ${interviewId}`] : []),
  ];
  setCurrentDetails(facts.join('\n\n'));
  const published = workflowInfo().typedSearchAttributes.get(stageKey);
  if (published !== stage && (isLong(stage) || isLong(published))) {
    upsertSearchAttributes([{ key: stageKey, value: stage }]);
  }
}

function isLong(stage: string | undefined): boolean {
  return LONG_CAPTURE_STAGES.some((long) => long === stage);
}
