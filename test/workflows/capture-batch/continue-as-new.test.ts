import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { FAILURES } from '../../../src/contract/index.js';
import type { LocalTemporalServer } from '../../../src/testing/index.js';
import { severalPeople, startPeople } from '../../support/capture-batch.js';
import { type CaptureWorld, startCaptureWorld } from '../../support/capture-world.js';
import { startNewServer } from '../../support/new-server.js';

let server: LocalTemporalServer;
let world: CaptureWorld;
beforeAll(async () => {
  server = await startNewServer({
    namespace: inject('temporalNamespace'),
    // The default is thousands of events.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': '60' },
  });
  world = await startCaptureWorld({ address: server.address });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.stop();
});

it('a shard that continues as new follows the people whom its earlier runs have begun', async () => {
  const people = await severalPeople(world, 30);
  const handle = await startPeople(world, people);
  const { rows } = await handle.result();
  expect(rows.map(({ outcome }) => outcome)).toEqual(people.map(() => 'approved'));
  expect(people.map((person) => world.sessionsOf(person).length)).toEqual(people.map(() => 1));
  const { count } = await world.temporal.workflow.count(`WorkflowId = "${handle.workflowId}"`);
  expect(count).toBeGreaterThan(1);
});

it('a shard that continues as new starts each failed person again once', async () => {
  const people = await severalPeople(world, 25);
  world.simulator.fault({ operation: 'start', kind: 'status', status: 400, times: null });
  const failed = await (await startPeople(world, people)).result();
  expect(failed.rows.map(({ failure }) => failure?.type)).toEqual(people.map(() => FAILURES.badRequest));
  world.simulator.clearFaults();
  const handle = await startPeople(world, people, { retryFailed: true });
  const { rows } = await handle.result();
  expect(rows.map(({ outcome }) => outcome)).toEqual(people.map(() => 'approved'));
  expect(people.map((person) => world.sessionsOf(person).length)).toEqual(people.map(() => 1));
  const { count } = await world.temporal.workflow.count(`WorkflowId = "${handle.workflowId}"`);
  expect(count).toBeGreaterThan(1);
});
