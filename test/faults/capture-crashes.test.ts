import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { captureBatch, OnboardingClient } from '../../src/client/index.js';
import type { CapturePerson, CaptureWorkflow } from '../../src/contract/index.js';
import type { SimulatedOperation } from '../../src/testing/index.js';
import { all } from '../support/batch.js';
import { textOf } from '../support/history.js';
import { jpeg } from '../support/images.js';
import { imageWorker, type ProcessWorld, startProcessWorld } from '../support/process-world.js';
import { API_KEY } from '../support/world.js';

const CANARY = 'image-bytes-that-must-not-be-seen';
const SIDES = ['front', 'back', 'selfie'] as const;

let world: ProcessWorld;
beforeEach(async () => {
  world = await startProcessWorld(imageWorker, async (directory) => {
    for (const side of SIDES) await writeFile(join(directory, `${side}.jpg`), jpeg({ content: `${CANARY} ${side}` }));
  });
});
afterEach(() => world[Symbol.asyncDispose]());

type Person = WorkflowHandle<CaptureWorkflow>;

/** Starts a person. @returns once the call hangs, which takes effect at Incode */
async function startUntil(operation: SimulatedOperation): Promise<Person> {
  const { simulator, client } = world;
  const calls = () => simulator.callsOf(undefined, operation).length;
  const before = calls();
  simulator.fault({ operation, kind: 'hang', effect: true });
  const images = Object.fromEntries(SIDES.map((side) => [side, { uri: `file:${side}.jpg` }]));
  const { people } = new OnboardingClient({ client });
  const person = { reference: operation, front: { uri: '' }, ...images, plan: { findSessionWithin: '2s' } };
  const { workflowId } = await people.start(person);
  await expect.poll(calls).toBe(before + 1);
  return client.workflow.getHandle<CaptureWorkflow>(workflowId);
}

const PARTS: Partial<Record<SimulatedOperation, string>> = { addFrontId: 'front', addBackId: 'back', addFace: 'face' };

/** Of all sessions that were opened for the person, one is used, and the result names the others as suspected orphans. */
async function expectSound(handle: Person, repeated: SimulatedOperation): Promise<void> {
  const { simulator } = world;
  const { interviewId, suspectedOrphans, onboarding } = await handle.result();
  expect(onboarding?.outcome).toBe('approved');
  const opened = simulator.sessions().filter((one) => one.externalCustomerId?.startsWith(`${repeated}~`));
  const others = opened.filter((session) => session.interviewId !== interviewId);
  const named = suspectedOrphans.map(({ externalCustomerId }) => externalCustomerId);
  expect(others.filter(({ externalCustomerId }) => !named.includes(String(externalCustomerId)))).toEqual([]);
  expect(suspectedOrphans).toHaveLength(repeated === 'start' ? 1 : 0);
  for (const other of others) expect(simulator.captures(other.interviewId).uploads).toEqual([]);
  const { attempts, processed } = simulator.captures(interviewId);
  const once = { front: 1, back: 1, face: 1 };
  const part = PARTS[repeated];
  expect(attempts).toEqual(part === undefined ? once : { ...once, [part]: 2 });
  expect(processed.id).toBe(1);
  expect(simulator.effects(interviewId).finished).toBe(1);
  const seen = `${textOf(await handle.fetchHistory())}${await world.log()}`;
  for (const secret of [CANARY, API_KEY]) expect(seen.includes(secret), secret).toBe(false);
}

/** The last one first, so that nobody meets the fault of another person. */
const STEPS: SimulatedOperation[] = [
  'processFace',
  'addFace',
  'isFinished',
  'processId',
  'addBackId',
  'addFrontId',
  'start',
];

it('after SIGKILL of a worker during any call, another one completes the person and names every other session', async () => {
  const people: [Person, SimulatedOperation][] = [];
  for (const operation of STEPS) people.push([await startUntil(operation), operation]);
  await world.killWorker();
  await world.startWorker();
  for (const [handle, operation] of people) await expectSound(handle, operation);
});

it('after SIGKILL of worker and server during any call, people are completed, and every other session is named', async () => {
  const people: [Person, SimulatedOperation][] = [];
  for (const operation of STEPS) people.push([await startUntil(operation), operation]);
  await Promise.all([world.killServer(), world.killWorker()]);
  await world.restartServer();
  await world.startWorker();
  for (const [handle, operation] of people) await expectSound(handle, operation);
});

it('a list loses nobody if the worker is killed in the middle, and every session is used or named', async () => {
  const { client, simulator } = world;
  const images = Object.fromEntries(SIDES.map((side) => [side, { uri: `file:${side}.jpg` }])) as Pick<
    CapturePerson,
    'front'
  >;
  const people = Array.from({ length: 12 }, (_, at) => ({ reference: `listed-${at}`, ...images }));
  const options = { batchId: 'killed', shardSize: 6, plan: { findSessionWithin: '2s' } };
  const running = all(captureBatch({ temporal: client }, people, options));
  for (const sessions of [3, 8]) {
    await expect.poll(() => simulator.sessions().length).toBeGreaterThanOrEqual(sessions);
    await world.killWorker();
    await world.startWorker();
  }
  const rows = await running;
  expect(rows.map(({ outcome }) => outcome)).toEqual(people.map(() => 'approved'));
  for (const { reference, interviewId, suspectedOrphans = [] } of rows) {
    const opened = simulator.sessions().filter((one) => one.externalCustomerId?.startsWith(`${reference}~`));
    const others = opened.filter((session) => session.interviewId !== interviewId);
    const named = suspectedOrphans.map(({ externalCustomerId }) => externalCustomerId);
    expect(others.filter(({ externalCustomerId }) => !named.includes(String(externalCustomerId)))).toEqual([]);
    expect(simulator.effects(String(interviewId)).finished).toBe(1);
  }
});
