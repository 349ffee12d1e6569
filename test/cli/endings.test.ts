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

describe('a command at Ctrl-C', () => {
  it('a waiting command exits with 130 at Ctrl-C, and the session continues', async () => {
    const { interviewId } = await world.simulator.openSession();
    const { child, ended } = start(['complete', '--interview-id', interviewId, ...target]);
    // Its first output shows that it runs.
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain('    at ');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('a command that reads a token exits with 130 at Ctrl-C', async () => {
    const { child, ended } = startWithOpenStdin(['renew-token', '--interview-id', 'a', ...target]);
    // The program reads stdin, so it runs.
    await new Promise((resolve) => child.stdin.write('a'.repeat(1_000_000), resolve));
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('a reader that closes the pipe', () => {
  it('a command ends without an error when its reader closes the pipe', async () => {
    const child = spawn(process.execPath, [MAIN, 'completion', 'fish'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('an unknown command', () => {
  it.each([
    ['complet', 'complete'],
    ['renewtoken', 'renew-token'],
    ['lists', 'list'],
  ])('suggests a similar name for %s', async (given, nearest) => {
    const { code, stderr } = await run([given]);
    expect(code).toBe(2);
    expect(stderr).toContain(`unknown command '${given}'`);
    expect(stderr).toContain(`(Did you mean ${nearest}?)`);
  });
});
