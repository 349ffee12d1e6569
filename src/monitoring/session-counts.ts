import type { NativeConnection } from '@temporalio/worker';
import { ONBOARDING_WORKFLOW, SEARCH_ATTRIBUTES } from '../contract/index.js';

/** The stages that are published when a session enters them, because they may last for days; every other open session is at work. */
const LONG_STAGES = ['waiting', 'needsToken', 'inReview'] as const;

export type SessionCounts = Record<(typeof LONG_STAGES)[number] | 'atWork', number>;

const OPEN = `WorkflowType = '${ONBOARDING_WORKFLOW}' and ExecutionStatus = 'Running'`;

const DEADLINE_MS = 10_000;

/** One count for each stage: servers group by ExecutionStatus only. */
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
  // Counted one after the other, so they need not agree.
  return { waiting, needsToken, inReview, atWork: Math.max(0, open - waiting - needsToken - inReview) };
}
