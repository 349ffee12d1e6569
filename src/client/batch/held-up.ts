import type { Client } from '@temporalio/client';
import { FAILURES } from '../../contract/index.js';
import { LONG_CAPTURE_STAGES } from '../../contract/long-stages.js';
import { needsOperator, type PendingCall, pendingCall } from '../pending-call.js';
import { countInStage, listRunningOfPeople } from './list.js';

/** As many as a shard begins at the same time. What holds up people usually holds up all of them. */
const MAX_LOOKED_AT = 20;
const MAX_CONCURRENT = 8;

/** Polls that have found nothing yet. That is the normal course. */
const POLLS: readonly string[] = [FAILURES.notProcessed, FAILURES.milestoneNotReached, FAILURES.scoreNotReady];

/**
 * Looks at people of a batch and at their sessions. Each has its own workflow, so the shard does not know which calls fail. Temporal does not
 * bill these requests.
 *
 * @returns why calls are being retried, or how many people wait for another image or token, as readable text; `null` if neither
 */
export async function heldUpPeople(client: Client, batchId: string): Promise<string | null> {
  const left = await listRunningOfPeople(client, batchId, MAX_LOOKED_AT);
  const failing: PendingCall[] = [];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const call = await pendingCall(client, await client.workflow.getHandle(id).describe());
      if (call?.lastFailure && !POLLS.includes(call.lastFailure.type)) failing.push(call);
    }
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, lane));
  // What somebody has to do comes first, because everything else ends by itself.
  const forAll = failing.find(needsSomebody);
  const { lastFailure } = forAll ?? failing[0] ?? {};
  const reason = lastFailure ? lastFailure.message.replace(/^(?:Person|Session) \S+: /, '') : null;
  if (forAll) return reason;
  const waits = await Promise.all(LONG_CAPTURE_STAGES.map((stage) => waitOf(client, batchId, stage)));
  return [...waits, reason].filter((part) => part !== null).join('; ') || null;
}

const WAITS_FOR = { needsImage: 'another image', needsToken: 'a session token that Incode accepts' } as const;

async function waitOf(client: Client, batchId: string, stage: keyof typeof WAITS_FOR): Promise<string | null> {
  const count = await countInStage(client, batchId, stage);
  if (count === 0) return null;
  return `${count === 1 ? '1 person waits' : `${count} people wait`} for ${WAITS_FOR[stage]}`;
}

function needsSomebody(call: PendingCall): boolean {
  return needsOperator(call) || call.lastFailure?.type === FAILURES.imageNotReady;
}
