import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { CaptureStage, CaptureState } from '../../contract/index.js';
import { stageKey } from '../visibility.js';

/** Shows the state in the Web UI, and the only stage that can last for days in a search attribute, because every upsert is billed. */
export function publishCapture({ stage, waitingFor, deadline, interviewId }: CaptureState): void {
  const facts = [
    waitingFor ? `**${stage}**: waits for ${waitingFor}` : `**${stage}**`,
    ...(deadline ? [`ends by itself at ${deadline}`] : []),
    ...(interviewId ? [`Incode's session: ${interviewId}`] : []),
  ];
  setCurrentDetails(facts.join('\n\n'));
  const published = workflowInfo().typedSearchAttributes.get(stageKey);
  const long: CaptureStage = 'needsImage';
  if (published !== stage && (stage === long || published === long)) {
    upsertSearchAttributes([{ key: stageKey, value: stage }]);
  }
}
