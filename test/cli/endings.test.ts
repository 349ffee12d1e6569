import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run, start, startWithOpenStdin } from '../support/cli.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let world: TestWorld;
let target: string[];
beforeAll(async () => {
  world = await startTestWorld();
  target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue];
});
afterAll(() => world[Symbol.asyncDispose]());

describe('Ctrl-C', () => {
  it('ends a command that waits with 130, and the session goes on', async () => {
    const { interviewId } = await world.simulator.openSession();
    const { child, ended } = start(['complete', '--interview-id', interviewId, ...target]);
    // It has said something, so it runs.
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain('    at ');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('ends a command that waits for a token with 130', async () => {
    const { child, ended } = startWithOpenStdin(['renew-token', '--interview-id', 'a', ...target]);
    // stdin is read only once the program runs.
    await new Promise((resolve) => child.stdin.write('a'.repeat(1_000_000), resolve));
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('a reader that has seen enough', () => {
  it('ends the output quietly', async () => {
    const child = spawn(process.execPath, [MAIN, 'completion', 'fish'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('a command that does not exist', () => {
  it.each([
    ['complet', 'complete'],
    ['renewtoken', 'renew-token'],
    ['lists', 'list'],
  ])('%s: the nearest is named', async (given, nearest) => {
    const { code, stderr } = await run([given]);
    expect(code).toBe(2);
    expect(stderr).toContain(`unknown command '${given}'`);
    expect(stderr).toContain(`(Did you mean ${nearest}?)`);
  });
});
