import type { NativeConnection } from '@temporalio/worker';
import { ONBOARDING_WORKFLOW, SEARCH_ATTRIBUTES } from '../contract/index.js';
import { LONG_STAGES } from '../contract/long-stages.js';

/** The number of open sessions in each long stage. Every other open session is at work. */
export type SessionCounts = Record<(typeof LONG_STAGES)[number] | 'atWork', number>;

const OPEN = `WorkflowType = '${ONBOARDING_WORKFLOW}' and ExecutionStatus = 'Running'`;

const DEADLINE_MS = 10_000;

/** Makes one query for each stage, because servers group only by ExecutionStatus. */
export async function countSessions(connection: NativeConnection, namespace: string): Promise<SessionCounts> {
  const count = async (query: string) => {
    const answer = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.workflowService.countWorkflowExecutions({ namespace, query }),
    );
    return Number(answer.count);
  };
  const [open = 0, waiting = 0, needsToken = 0, inReview = 0] = await Promise.all([
    count(OPEN),
    ...LONG_STAGES.map((stage) => count(`${OPEN} and ${SEARCH_ATTRIBUTES.stage} = '${stage}'`)),
  ]);
  // The counts are not taken at the same instant, so the difference may be negative.
  return { waiting, needsToken, inReview, atWork: Math.max(0, open - waiting - needsToken - inReview) };
}
