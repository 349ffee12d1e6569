import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { batchProgress } from '../../src/client/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { type Installed, installedPackages, runPython } from './python.js';

let world: TestWorld;
let found: Installed;
beforeAll(async () => {
  world = await startTestWorld();
  found = await installedPackages('requirements.txt');
  if ('missing' in found) process.stderr.write(`Skipping the tests with Python's temporalio: ${found.missing}\n`);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-python-'));

/** A file for a program to read: a token, or sessions with their tokens. */
function fileOf(text: string): string {
  const file = join(directory, randomUUID());
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function python({ skip }: TestContext, program: string, queue: string, ...args: string[]): Promise<string> {
  if ('missing' in found) return skip(found.missing);
  return runPython(found.directory, program, queue, inject('temporalAddress'), ...args);
}

describe("Python's temporalio SDK (skipped without python3, pip and PyPI)", () => {
  it('finishes a session with one call, reads its state and waits for its result', async (context) => {
    const { interviewId, token } = await world.simulator.openSession({ redirectionUrl: 'https://example.com/next' });
    const complete = () => python(context, 'session', world.taskQueue, interviewId, fileOf(`${token}\n`));
    const printed = (stage: string) =>
      `answer: {'action': 'approved', 'redirectionUrl': 'https://example.com/next', 'confirmedBy': 'response'}
stage: ${stage}
outcome: approved
`;
    expect((await complete()).replace(/stage: \w+/, 'stage: …')).toBe(printed('…'));
    // Runs again after the end, like a caller that lost the answer.
    expect(await complete()).toBe(printed('done'));
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('attaches to a running session', async (context) => {
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: null });
    const plan = { finishWhen: 'asked', scoreDeadline: '2 seconds' } as const;
    await world.onboarding.start({ interviewId, sessionToken: token, plan });
    expect(await python(context, 'session', world.taskQueue, interviewId, fileOf(token))).toContain(
      'outcome: undecided',
    );
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('gets the type of a refusal by Incode and of an invalid input', async (context) => {
    const [refused, wrong] = [await world.simulator.openSession(), await world.simulator.openSession()];
    const { interviewId, token } = refused;
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    const tried = (id: string, sessionToken: string) =>
      python(context, 'session', world.taskQueue, id, fileOf(sessionToken));
    expect(await tried(interviewId, token)).toContain(`failed: ${FAILURES.unknownSession}: `);
    // Runs again after the end.
    expect(await tried(interviewId, token)).toContain(`failed: ${FAILURES.unknownSession}: `);
    expect(await tried(wrong.interviewId, 'no token')).toContain(`failed: ${FAILURES.invalidInput}: `);
  });

  it('completes a batch, and attaches when it is run again', async (context) => {
    const sessions = await world.sessions(5);
    const refused = sessions[3]?.interviewId ?? '';
    world.simulator.fault({ operation: 'finishStatus', interviewId: refused, kind: 'status', status: 400 });
    const batchId = `python-${randomUUID()}`;
    const complete = () => python(context, 'batch', world.taskQueue, batchId, fileOf(JSON.stringify(sessions)));
    const printed = await complete();
    expect(printed.trim().split('\n')).toEqual(
      sessions.map(({ interviewId }) => `${interviewId} ${interviewId === refused ? FAILURES.badRequest : 'approved'}`),
    );
    expect(await complete()).toBe(printed);
    for (const { interviewId } of sessions) {
      const once = interviewId === refused ? 0 : 1;
      expect(world.simulator.effects(interviewId)).toMatchObject({ finished: once, closed: once });
    }
    // This package's CLI can control and show the batch too.
    const status = async () => (await batchProgress(world.onboarding, batchId)).total;
    await expect.poll(status).toBe(sessions.length);
  });
});
