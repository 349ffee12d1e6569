import { text } from 'node:stream/consumers';
import type { WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import {
  type OnboardingInput,
  type OnboardingState,
  onboardingWorkflowId,
  QUERIES,
  SEARCH_ATTRIBUTES,
  type Stage,
} from '../../src/contract/index.js';
import { passTime, type SessionSpec } from '../../src/testing/index.js';
import { failedTasks, fetchHistory, type History } from './history.js';
import { serve } from './http.js';
import type { TestWorld } from './world.js';

export interface Started {
  interviewId: string;
  token: string;
}

/** Opens a session and starts its onboarding with its token, unless `input` says otherwise. */
export async function begin(
  { simulator, onboarding }: TestWorld,
  input: Omit<OnboardingInput, 'interviewId'> = {},
  spec: SessionSpec = {},
): Promise<Started> {
  const { interviewId, token } = await simulator.openSession(spec);
  await onboarding.start({ interviewId, sessionToken: token, ...input });
  return { interviewId, token };
}

export function handleOf({ temporal }: TestWorld, interviewId: string): WorkflowHandle {
  return temporal.workflow.getHandle(onboardingWorkflowId(interviewId));
}

export function stateOf(world: TestWorld, interviewId: string): Promise<OnboardingState> {
  return handleOf(world, interviewId).query<OnboardingState>(QUERIES.state);
}

/** A limit for tests that hang, far above what a test takes. */
const TIMEOUT_MS = 300_000;

/** Like `expect.poll`, which only works inside a test, and not in several tests that run at once. */
export async function until<T>(read: () => T | Promise<T>, expected: T, timeoutMs = TIMEOUT_MS): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await read();
    if (found === expected) return;
    if (Date.now() > deadline) throw new Error(`Expected ${expected} within ${timeoutMs} ms, found ${found}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

export async function untilStage(world: TestWorld, interviewId: string, stage: Stage): Promise<void> {
  await until(async () => (await stateOf(world, interviewId)).stage, stage);
}

/** Signals statuses as Incode's webhook would. A status that the simulator does not have is a forged one. */
export async function say({ onboarding }: TestWorld, interviewId: string, ...statuses: string[]): Promise<void> {
  for (const onboardingStatus of statuses) await onboarding.statusChanged({ interviewId, onboardingStatus });
}

/** Sets statuses at Incode, and signals each as its webhook would. */
export async function happens(world: TestWorld, interviewId: string, ...statuses: string[]): Promise<void> {
  for (const onboardingStatus of statuses) {
    world.simulator.setOnboardingStatus(interviewId, onboardingStatus);
    await say(world, interviewId, onboardingStatus);
  }
}

export function pass({ temporal }: TestWorld, interviewId: string, duration: Parameters<typeof passTime>[2]) {
  return passTime(temporal, onboardingWorkflowId(interviewId), duration);
}

/** The operations and statuses of the calls that reached Incode, oldest first. */
export function operationsOf({ simulator }: TestWorld, interviewId: string): string[] {
  return simulator.callsOf(interviewId).map(({ operation, httpStatus }) => `${operation} ${httpStatus}`);
}

/** How often Incode has answered a read of the session's status. */
export function looksAt({ simulator }: TestWorld, interviewId: string): number {
  return simulator.callsOf(interviewId, 'onboardingStatus').filter(({ httpStatus }) => httpStatus !== null).length;
}

export async function untilLooks(world: TestWorld, interviewId: string, times: number): Promise<void> {
  await until(() => Math.min(looksAt(world, interviewId), times), times);
}

/** Another program finishes the session at Incode. */
export async function finishElsewhere({ simulator }: Pick<TestWorld, 'simulator'>, interviewId: string): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'api-version': '1.0',
    'x-api-key': simulator.apiKey,
    'x-incode-hardware-id': await simulator.issueToken(interviewId),
  };
  const { status } = await fetch(`${simulator.url}/omni/finish-status`, { headers });
  if (status !== 200) throw new Error(`finish-status answered ${status}`);
}

/** Lets the simulator's webhooks reach the workflows. */
export async function receiveWebhooks({ simulator, onboarding }: TestWorld): Promise<AsyncDisposable> {
  const receiver = await serve(async (request, response) => {
    await onboarding.statusChanged(JSON.parse(await text(request)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  simulator.setWebhook({ url: receiver.url });
  return receiver;
}

/** The session's search attributes, by their short names. */
export async function searchAttributesOf(world: TestWorld, interviewId: string): Promise<Record<string, unknown>> {
  const { typedSearchAttributes } = await handleOf(world, interviewId).describe();
  const names: Record<string, string> = Object.fromEntries(
    Object.entries(SEARCH_ATTRIBUTES).map(([short, name]) => [name, short]),
  );
  return Object.fromEntries(
    typedSearchAttributes.getAll().map(({ key, value }) => [names[key.name] ?? key.name, value]),
  );
}

/** Matches the simulator's tokens, which are JWTs. */
const TOKEN = /eyJ[\w-]+\.[\w-]+/;

/**
 * Checks what must hold for every session: no workflow task failed, Incode finished the session at most once, and its state contains no
 * token.
 */
export async function expectSound(world: TestWorld, interviewId: string): Promise<History> {
  const history = await fetchHistory(world.temporal, interviewId);
  expect(failedTasks(history)).toEqual([]);
  expect(world.simulator.effects(interviewId).finished).toBeLessThanOrEqual(1);
  expect(JSON.stringify(await stateOf(world, interviewId))).not.toMatch(TOKEN);
  return history;
}
