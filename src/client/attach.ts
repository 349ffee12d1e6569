import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  type OnboardingInput,
  type OnboardingWorkflow,
  type Plan,
  planWithDefaults,
  resolvePlan,
  UPDATES,
} from '../contract/index.js';
// The package's index takes as long to load as all of this package.
import { decodeFromPayloadsAtIndex } from '../temporal/sdk-internals.js';
import { PlanMismatchError } from './errors.js';
import { type IfPlanDiffers, listedStage } from './starting.js';

/** A running onboarding that a request has found. */
export interface Attachment {
  plan: Required<Plan>;
  /** The token to hand in if the onboarding needs one; `undefined` if the caller has no other token than it was started with. */
  otherToken: string | undefined;
}

/**
 * Compares what the caller asks for with what the onboarding was started with.
 *
 * @throws PlanMismatchError
 */
export async function attachTo(
  client: Client,
  running: WorkflowExecutionDescription,
  { interviewId, plan: wanted, sessionToken }: OnboardingInput,
  ifPlanDiffers: IfPlanDiffers,
): Promise<Attachment> {
  const startedWith = await inputOf(client, running);
  const plan = planWithDefaults(startedWith.plan);
  const differs = differences(wanted, plan);
  if (differs.length > 0 && ifPlanDiffers !== 'attach') throw new PlanMismatchError(interviewId, differs, plan);
  return { plan, otherToken: sessionToken === startedWith.sessionToken ? undefined : sessionToken };
}

/** What the run was started with. It stands in the history, so no worker is needed, and a codec decodes it as anything else. */
export async function inputOf(
  client: Client,
  { workflowId, runId }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<OnboardingInput> {
  const { namespace, loadedDataConverter } = client.options;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const input = await decodeFromPayloadsAtIndex<OnboardingInput | null>(loadedDataConverter, 0, payloads);
  return input ?? { interviewId: '' };
}

/** Only the parts that the caller names are compared, by their meaning: `15m` is `15 minutes`. */
function differences(wanted: Plan | undefined, inForce: Required<Plan>): (keyof Plan)[] {
  const named = Object.entries(wanted ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return named.flatMap(([name, value]) => {
    const part = name as keyof Plan;
    return sameMeaning({ [part]: value }, { [part]: inForce[part] }) ? [] : [part];
  });
}

function sameMeaning(one: Plan, other: Plan): boolean {
  return JSON.stringify(resolvePlan(one)) === JSON.stringify(resolvePlan(other));
}

/** Hands a token to an onboarding that waits for one. @returns whether it did */
export async function handInIfNeeded(client: Client, workflowId: string, token: string | undefined): Promise<boolean> {
  if (token === undefined) return false;
  const handle = client.workflow.getHandle<OnboardingWorkflow>(workflowId);
  if (listedStage(await handle.describe()) !== 'needsToken') return false;
  await handle.executeUpdate(UPDATES.renewToken, { updateId: randomUUID(), args: [{ sessionToken: token }] });
  return true;
}

/** The first look comes at once. Later ones cost little, and a token that expires meanwhile is noticed soon enough. */
const LOOK_EVERY_MS = 2_000;

/** The same while an answer is awaited, because a call that is under way may end with a refused token. */
export async function handInWhileWaiting<T>(
  client: Client,
  workflowId: string,
  token: string | undefined,
  answer: Promise<T>,
): Promise<{ answer: T; tokenHandedIn: boolean }> {
  const over = new AbortController();
  const answered = answer.finally(() => over.abort());
  // It is awaited below, unless a look fails first.
  answered.catch(() => undefined);
  let tokenHandedIn = false;
  while (token !== undefined && !tokenHandedIn && !over.signal.aborted) {
    tokenHandedIn = await handInIfNeeded(client, workflowId, token);
    if (!tokenHandedIn) await sleep(LOOK_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return { answer: await answered, tokenHandedIn };
}
