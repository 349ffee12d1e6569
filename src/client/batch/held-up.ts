import type { Client } from '@temporalio/client';
import { counted } from '../../contract/counted.js';
import { CAPTURE_WORKFLOW, FAILURES, ONBOARDING_WORKFLOW } from '../../contract/index.js';
import { needsOperator, type PendingCall, pendingCall } from '../pending-call.js';
import type { HeldUp } from './kind.js';
import { countInStage, listRunningOfPeople } from './list.js';

/** As many as a shard begins at the same time. What holds up people usually holds up all of them. */
const MAX_LOOKED_AT = 20;
const MAX_CONCURRENT = 8;

/** Polls that have found nothing yet. That is the normal course. */
const POLLS: readonly string[] = [FAILURES.notProcessed, FAILURES.milestoneNotReached, FAILURES.scoreNotReady];

/**
 * What people and their sessions may wait for. Each stage is published as a search attribute.
 *
 * The server groups counts by ExecutionStatus only, so each stage is a query.
 */
const WAITS = [
  [CAPTURE_WORKFLOW, 'needsImage', 'another image'],
  [CAPTURE_WORKFLOW, 'needsToken', 'a session token that Incode accepts'],
  [ONBOARDING_WORKFLOW, 'needsToken', 'a session token that Incode accepts'],
  [ONBOARDING_WORKFLOW, 'inReview', 'a reviewer at Incode'],
] as const;

/**
 * Looks at people of a batch and at their sessions. Each has its own workflow, so the shard does not know which calls fail. Temporal does not
 * bill these requests.
 */
export async function heldUpPeople(client: Client, batchId: string): Promise<HeldUp> {
  const [failing, waits] = await Promise.all([failingCalls(client, batchId), countWaits(client, batchId)]);
  const waiting = [...waits.values()].reduce((sum, count) => sum + count, 0);
  // What an operator has to do comes first, because everything else ends by itself.
  const forAll = failing.find(needsSomebody);
  const { lastFailure } = forAll ?? failing[0] ?? {};
  const reason = lastFailure ? lastFailure.message.replace(/^(?:Person|Session) \S+: /, '') : null;
  if (forAll) return { reason, waiting };
  const texts = [...waits].map(([what, count]) => `${counted(count, 'person waits', 'people wait')} for ${what}`);
  return { reason: [...texts, ...(reason === null ? [] : [reason])].join('; ') || null, waiting };
}

async function failingCalls(client: Client, batchId: string): Promise<PendingCall[]> {
  const left = await listRunningOfPeople(client, batchId, MAX_LOOKED_AT);
  const failing: PendingCall[] = [];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const call = await pendingCall(client, await client.workflow.getHandle(id).describe());
      if (call?.lastFailure && !POLLS.includes(call.lastFailure.type)) failing.push(call);
    }
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, lane));
  return failing;
}

/** @returns how many people wait for what, without what nobody waits for */
async function countWaits(client: Client, batchId: string): Promise<Map<string, number>> {
  const counts = await Promise.all(WAITS.map(([type, stage]) => countInStage(client, batchId, type, stage)));
  const waits = new Map<string, number>();
  for (const [at, [, , what]] of WAITS.entries()) {
    const count = counts[at] ?? 0;
    if (count > 0) waits.set(what, (waits.get(what) ?? 0) + count);
  }
  return waits;
}

function needsSomebody(call: PendingCall): boolean {
  return needsOperator(call) || call.lastFailure?.type === FAILURES.imageNotReady;
}
