import type { NativeConnection } from '@temporalio/worker';
import { CAPTURE_WORKFLOW, ONBOARDING_WORKFLOW, SEARCH_ATTRIBUTES } from '../contract/index.js';
import { LONG_CAPTURE_STAGES, LONG_STAGES } from '../contract/long-stages.js';

/** The number of open sessions in each long stage. Every other open session is at work. */
export type SessionCounts = Record<(typeof LONG_STAGES)[number] | 'atWork', number>;

/** The same for people from images. */
export type PeopleCounts = Record<(typeof LONG_CAPTURE_STAGES)[number] | 'atWork', number>;

const DEADLINE_MS = 10_000;

export function countSessions(connection: NativeConnection, namespace: string): Promise<SessionCounts> {
  return countStages(connection, namespace, ONBOARDING_WORKFLOW, LONG_STAGES);
}

export function countPeople(connection: NativeConnection, namespace: string): Promise<PeopleCounts> {
  return countStages(connection, namespace, CAPTURE_WORKFLOW, LONG_CAPTURE_STAGES);
}

/** Makes one query for each stage, because servers group only by ExecutionStatus. */
async function countStages<S extends string>(
  connection: NativeConnection,
  namespace: string,
  workflowType: string,
  stages: readonly S[],
): Promise<Record<S | 'atWork', number>> {
  const ofType = `WorkflowType = '${workflowType}' and ExecutionStatus = 'Running'`;
  const count = async (query: string) => {
    const answer = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.workflowService.countWorkflowExecutions({ namespace, query }),
    );
    return Number(answer.count);
  };
  const [open = 0, ...inStages] = await Promise.all([
    count(ofType),
    ...stages.map((stage) => count(`${ofType} and ${SEARCH_ATTRIBUTES.stage} = '${stage}'`)),
  ]);
  const waiting = inStages.reduce((sum, stage) => sum + stage, 0);
  const counts = Object.fromEntries(stages.map((stage, at) => [stage, inStages[at] ?? 0]));
  // The counts are not taken at the same instant, so the difference may be negative.
  return { ...counts, atWork: Math.max(0, open - waiting) } as Record<S | 'atWork', number>;
}
