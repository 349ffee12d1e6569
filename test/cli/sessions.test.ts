import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Plan, Stage } from '../../src/contract/index.js';
import { type Ran, run } from '../support/cli.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let directory: string;
let target: string[];
beforeAll(async () => {
  world = await startTestWorld();
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-sessions-'));
  target = ['--address', inject('temporalAddress')];
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

// A program takes seconds to start on a loaded machine.
vi.setConfig({ testTimeout: 240_000 });
const asked: Plan = { finishWhen: 'asked', score: false };

const command = (name: string, interviewId: string, ...args: string[]): Promise<Ran> =>
  run([name, interviewId, ...args, ...target]);

async function reaches(interviewId: string, stage: Stage): Promise<void> {
  const stageNow = async () => (await world.onboarding.state(interviewId)).state?.stage;
  await expect.poll(stageNow).toBe(stage);
}

/** @returns one that waits to be asked */
async function waiting(): Promise<string> {
  const { interviewId, token } = await world.simulator.openSession();
  await world.onboarding.start({ interviewId, sessionToken: token, plan: asked });
  await reaches(interviewId, 'waiting');
  return interviewId;
}

/** @returns one whose token Incode refuses */
async function withoutToken(): Promise<string> {
  const { interviewId } = await world.simulator.openSession();
  await world.onboarding.start({ interviewId, plan: { score: false } });
  await reaches(interviewId, 'needsToken');
  return interviewId;
}

async function completed(): Promise<string> {
  const { interviewId, token } = await world.simulator.openSession();
  await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
  await world.onboarding.result(interviewId);
  return interviewId;
}

const COMMANDS = [
  ['finish'],
  ['renew-token', '--session-token-file', 'token'],
  ['extend-deadline', '--by', '1d'],
  ['cancel', '--yes'],
];

describe.each(COMMANDS)('%s', (name, ...args) => {
  const given = async () => {
    await writeFile(join(directory, 'token'), 'a-token');
    return args.map((arg) => (arg === 'token' ? join(directory, arg) : arg));
  };

  it('of a session that nobody knows ends with 4', async () => {
    const { code, stderr } = await command(name, 'unknown', ...(await given()));
    expect(code).toBe(4);
    expect(stderr).toContain('Session unknown: no onboarding is known');
    expect(stderr).not.toContain('    at ');
  });

  it('of no session id at all ends with 2 before anybody is asked', async () => {
    const server = ['--address', '127.0.0.1:9'];
    const { code, stderr } = await run([name, '--interview-id', 'a b', ...(await given()), ...server]);
    expect(code).toBe(2);
    expect(stderr).toContain('interviewId');
  });

  it('has an example', async () => {
    const { code, stdout } = await run([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ temporal-incode ${name}`);
  });
});

describe('finish', () => {
  it('of a session that waits finishes it, and prints the answer', async () => {
    const interviewId = await waiting();
    const { code, stdout } = await command('finish', interviewId);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^action +approved$/m);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('of one that was finished gives the answer that it got then', async () => {
    const interviewId = await completed();
    const { code, stdout } = await command('finish', interviewId, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ interviewId, finish: { action: 'approved', confirmedBy: 'response' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('starts nothing: of one that was cancelled it ends with 1, and says what does', async () => {
    const interviewId = await waiting();
    await world.onboarding.cancel(interviewId);
    await expect.poll(async () => (await world.onboarding.state(interviewId)).status).toBe('cancelled');
    const { code, stderr } = await command('finish', interviewId);
    expect(code).toBe(1);
    expect(stderr).toContain('temporal-incode complete');
    expect((await world.onboarding.state(interviewId)).status).toBe('cancelled');
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('ends with 3 if the answer does not come in time, and the session goes on', async () => {
    const interviewId = await withoutToken();
    const { code, stderr } = await command('finish', interviewId, '--timeout', '1s');
    expect(code).toBe(3);
    expect(stderr).toContain('It waits for a session token, by the update renewToken');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });
});

describe('renew-token', () => {
  it('takes the token from stdin, and the session goes on', async () => {
    const interviewId = await withoutToken();
    const token = await world.simulator.issueToken(interviewId);
    const ran = await run(['renew-token', '--interview-id', interviewId, '--json', ...target], `${token}\n`);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toEqual({ interviewId, renewed: true });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  });

  it('takes it from a file', async () => {
    const interviewId = await withoutToken();
    const file = join(directory, interviewId);
    await writeFile(file, `${await world.simulator.issueToken(interviewId)}\n`);
    const { code, stdout } = await command('renew-token', interviewId, '--session-token-file', file);
    expect(code).toBe(0);
    expect(stdout).toContain(interviewId);
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  });

  it.each([
    ['the token that Incode has refused', async (token: string) => token, 'is the one that Incode refused'],
    [
      'an expired one',
      (_: string, id: string) => world.simulator.issueToken(id, { expiresInMs: -1_000 }),
      'expired at',
    ],
    ['none', async () => '', 'sessionToken'],
  ])('with %s ends with 2, without repeating it', async (_, make, why) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token });
    await reaches(interviewId, 'needsToken');
    const given = await make(token, interviewId);
    const ran = await run(['renew-token', '--interview-id', interviewId, ...target], `${given}\n`);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(why);
    if (given) expect(ran.stderr).not.toContain(given);
    await world.onboarding.cancel(interviewId);
  });
});

describe('extend-deadline', () => {
  it('moves the deadline, and prints the new one', async () => {
    const interviewId = await waiting();
    const before = Date.parse(String((await world.onboarding.state(interviewId)).state?.deadline));
    const { code, stdout } = await command('extend-deadline', interviewId, '--by', '7 days');
    expect(code).toBe(0);
    const [, deadline = ''] = /^deadline +(\S+)$/m.exec(stdout) ?? [];
    expect(Date.parse(deadline) - before).toBe(7 * 86_400_000);
    const { state } = await world.onboarding.state(interviewId);
    expect(state?.deadline).toBe(deadline);
    await world.onboarding.cancel(interviewId);
  });

  it('of a stage that has none ends with 2', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const headers = { 'retry-after': '600' };
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 429, headers });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await reaches(interviewId, 'finishing');
    const { code, stderr } = await command('extend-deadline', interviewId, '--by', '1d');
    expect(code).toBe(2);
    expect(stderr).toContain('it has no deadline');
    await world.onboarding.cancel(interviewId);
  });

  it('by what is no duration ends with 2, naming the option', async () => {
    const { code, stderr } = await command('extend-deadline', 'a', '--by', 'long');
    expect(code).toBe(2);
    expect(stderr).toContain('--by must be a duration');
  });
});

describe('cancel', () => {
  it('cancels the onboarding, and leaves the session at Incode alone', async () => {
    const interviewId = await waiting();
    const { code, stdout } = await command('cancel', interviewId, '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ interviewId, cancelled: true });
    expect((await world.onboarding.state(interviewId)).status).toBe('cancelled');
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('asks nobody where no terminal is: without --yes it ends with 2', async () => {
    const interviewId = await waiting();
    const { code, stderr } = await command('cancel', interviewId);
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('of one that was completed ends with 5, and says how it ended', async () => {
    const { code, stderr } = await command('cancel', await completed(), '--yes');
    expect(code).toBe(5);
    expect(stderr).toContain('has ended before (completed, approved)');
  });
});

describe('without a worker', () => {
  it.each([
    ['renew-token', '--session-token-file', 'token'],
    ['extend-deadline', '--by', '1d'],
    ['finish'],
    ['cancel', '--yes'],
  ])('%s ends with 3, for it does not know', async (name, ...options) => {
    const { interviewId, token } = await world.simulator.openSession();
    const args = ['--interview-id', interviewId, '--address', inject('temporalAddress')];
    const queue = ['--task-queue', 'nobody-works-here', '--session-token-file', '-', '--timeout', '1s'];
    expect((await run(['complete', ...args, ...queue], token)).code).toBe(3);
    await writeFile(join(directory, 'token'), token);
    const given = options.map((option) => (option === 'token' ? join(directory, option) : option));
    const { code, stderr } = await command(name, interviewId, ...given, '--timeout', '1s');
    expect(code).toBe(3);
    expect(stderr).toContain(`Session ${interviewId}: no answer within 1 s`);
    expect(stderr).not.toContain('    at ');
    await world.temporal.workflow.getHandle(`incode-onboarding/${interviewId}`).terminate();
  });
});

describe('status', () => {
  it('tells the whole of a completed session', async () => {
    const { interviewId, token } = await world.simulator.openSession({ redirectionUrl: 'https://example.com/next' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    await world.onboarding.result(interviewId);
    const { stdout } = await command('status', interviewId);
    for (const line of [
      /^status +completed$/m,
      /^action +approved$/m,
      /^confirmed by +response$/m,
      /^redirect +https:\/\/example.com\/next$/m,
      /^score +OK \(94.6\)$/m,
      /^closed +yes$/m,
      /^outcome +approved$/m,
    ])
      expect(stdout).toMatch(line);
  });

  it.each([
    ['needsToken', withoutToken, 'temporal-incode renew-token'],
    ['waiting', waiting, 'temporal-incode finish'],
  ])('of a session in the stage %s names the command that helps', async (_, make, next) => {
    const interviewId = await make();
    const { stdout } = await command('status', interviewId);
    expect(stdout).toMatch(new RegExp(`^next +${next}`, 'm'));
    await world.onboarding.cancel(interviewId);
  });
});

describe('an answer of Incode with terminal escapes', () => {
  it('steers no terminal, whichever command shows it', async () => {
    const action = 'none\u001b]0;title\u0007\u009b31m';
    const { interviewId, token } = await world.simulator.openSession({ action, redirectionUrl: 'https://example.com' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    await world.onboarding.result(interviewId);
    for (const args of [['status'], ['status', '--json'], ['complete', '--if-completed', 'return'], ['finish']]) {
      const { stdout, stderr } = await command(String(args[0]), interviewId, ...args.slice(1));
      expect(`${stdout}${stderr}`).toContain('none');
      expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
  });
});
