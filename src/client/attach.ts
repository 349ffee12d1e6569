import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { planWithDefaults, resolvePlan } from '../contract/guards.js';
import { type OnboardingInput, type OnboardingWorkflow, type Plan, UPDATES } from '../contract/index.js';
import { inputOf } from '../temporal/input.js';
import { PlanMismatchError } from './errors.js';
import { type IfPlanDiffers, listedStage } from './starting.js';

/** A running onboarding that a request attaches to. */
export interface Attachment {
  plan: Required<Plan>;
  /** The caller's token, to pass on if the onboarding needs one. `undefined` if it is the token that the onboarding started with. */
  otherToken: string | undefined;
}

/**
 * Compares the caller's input with the input of the running onboarding.
 *
 * @throws PlanMismatchError
 */
export async function attachTo(
  client: Client,
  running: WorkflowExecutionDescription,
  { interviewId, plan: wanted, sessionToken }: OnboardingInput,
  ifPlanDiffers: IfPlanDiffers,
): Promise<Attachment> {
  const startedWith = await inputOf<OnboardingInput>(client, running);
  const plan = planWithDefaults(startedWith?.plan);
  const differs = differingParts(wanted, plan, resolvePlan);
  if (differs.length > 0 && ifPlanDiffers !== 'attach') throw new PlanMismatchError(interviewId, differs, plan);
  return { plan, otherToken: sessionToken === startedWith?.sessionToken ? undefined : sessionToken };
}

/** Compares only the parts that the caller names, by value: `15m` equals `15 minutes`. */
export function differingParts<P extends object>(
  wanted: Partial<P> | undefined,
  inForce: Required<P>,
  resolve: (plan: unknown) => unknown,
): (keyof P & string)[] {
  const named = Object.entries(wanted ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return named.flatMap(([name, value]) => {
    const part = name as keyof P & string;
    const isEquivalent =
      JSON.stringify(resolve({ [part]: value })) === JSON.stringify(resolve({ [part]: inForce[part] }));
    return isEquivalent ? [] : [part];
  });
}

/** Passes a token to an onboarding that waits for one. @returns whether the onboarding took it */
export async function handInIfNeeded(client: Client, workflowId: string, token: string | undefined): Promise<boolean> {
  if (token === undefined) return false;
  const handle = client.workflow.getHandle<OnboardingWorkflow>(workflowId);
  if (listedStage(await handle.describe()) !== 'needsToken') return false;
  await handle.executeUpdate(UPDATES.renewToken, { updateId: randomUUID(), args: [{ sessionToken: token }] });
  return true;
}

/** Often enough to notice soon that Incode refused the token, and cheap for the server. */
const CHECK_INTERVAL_MS = 2_000;

/** Keeps checking while the answer is pending, because a call in flight may end with a refused token. */
export async function handInWhileWaiting<T>(
  client: Client,
  workflowId: string,
  token: string | undefined,
  answer: Promise<T>,
): Promise<{ answer: T; tokenHandedIn: boolean }> {
  const over = new AbortController();
  const answered = answer.finally(() => over.abort());
  // Prevents an unhandled rejection if a check fails before the answer is awaited below.
  answered.catch(() => undefined);
  let tokenHandedIn = false;
  while (token !== undefined && !tokenHandedIn && !over.signal.aborted) {
    tokenHandedIn = await handInIfNeeded(client, workflowId, token);
    if (!tokenHandedIn) await sleep(CHECK_INTERVAL_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return { answer: await answered, tokenHandedIn };
}
