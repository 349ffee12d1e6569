import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { batchProgress } from '../../src/client/index.js';
import type { BatchSession } from '../../src/contract/index.js';
import { run, start } from '../support/cli.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let directory: string;
beforeAll(async () => {
  world = await startTestWorld();
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-batch-kills-'));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function csvOf(sessions: BatchSession[]): string {
  const rows = sessions.map(({ interviewId, sessionToken = '' }) => `${interviewId},${sessionToken}\r\n`);
  return `interviewId,sessionToken\r\n${rows.join('')}`;
}

it('the command batch completes every session once although it is killed repeatedly', async () => {
  const sessions = await world.sessions(5_000);
  const list = join(directory, 'sessions.csv');
  await writeFile(list, csvOf(sessions));
  const out = join(directory, 'results.csv');
  const target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue];
  const args = ['batch', list, '--no-score', '--out', out, ...target];
  const batchId = JSON.parse((await run([...args, '--dry-run', '--json'])).stdout).batchId;
  const known = () =>
    batchProgress(world.onboarding, batchId).then(
      ({ total }) => total,
      () => 0,
    );
  for (const most of [0, 2_000, 4_000]) {
    const { child, ended } = start(args);
    await expect.poll(known).toBeGreaterThan(most);
    child.kill('SIGKILL');
    await ended;
  }
  expect((await run(args)).code).toBe(0);
  const ids = (await readFile(out, 'utf8'))
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[0]);
  expect(ids).toEqual(sessions.map(({ interviewId }) => interviewId));
  expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
});
