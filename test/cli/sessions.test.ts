import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Plan, Stage } from '../../src/contract/index.js';
import { type Ran, run, runInShell } from '../support/cli.js';
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
const asked: Plan = { finishWhen: 'asked', score: false };

const command = (name: string, interviewId: string, ...args: string[]): Promise<Ran> =>
  run([name, interviewId, ...args, ...target]);

async function reaches(interviewId: string, stage: Stage): Promise<void> {
  const stageNow = async () => (await world.onboarding.state(interviewId)).state?.stage;
  await expect.poll(stageNow).toBe(stage);
}

/** @returns a session that waits until it is asked to finish */
async function waiting(): Promise<string> {
  const { interviewId, token } = await world.simulator.openSession();
  await world.onboarding.start({ interviewId, sessionToken: token, plan: asked });
  await reaches(interviewId, 'waiting');
  return interviewId;
}

/** @returns a session whose token Incode refuses */
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

  it('exits with 4 for an unknown session', async () => {
    const { code, stderr } = await command(name, 'unknown', ...(await given()));
    expect(code).toBe(4);
    expect(stderr).toContain('Session unknown: no onboarding is known');
    expect(stderr).not.toContain('    at ');
  });

  it('exits with 2 without a session id before it sends anything', async () => {
    const server = ['--address', '127.0.0.1:9'];
    const { code, stderr } = await run([name, '--interview-id', 'a b', ...(await given()), ...server]);
    expect(code).toBe(2);
    expect(stderr).toContain('interviewId');
  });

  it('has an example in its help', async () => {
    const { code, stdout } = await run([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ temporal-incode ${name}`);
  });
});

describe('the command finish', () => {
  it('finishes a waiting session and prints the answer', async () => {
    const interviewId = await waiting();
    const { code, stdout } = await command('finish', interviewId);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^action +approved$/m);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('prints the earlier answer of a finished session', async () => {
    const interviewId = await completed();
    const { code, stdout } = await command('finish', interviewId, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ interviewId, finish: { action: 'approved', confirmedBy: 'response' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('exits with 1 for a cancelled session and says how to start it', async () => {
    const interviewId = await waiting();
    await world.onboarding.cancel(interviewId);
    await expect.poll(async () => (await world.onboarding.state(interviewId)).status).toBe('cancelled');
    const { code, stderr } = await command('finish', interviewId);
    expect(code).toBe(1);
    expect(stderr).toContain(`\n  temporal-incode complete ${interviewId} --address`);
    expect((await world.onboarding.state(interviewId)).status).toBe('cancelled');
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('prints for an unknown session the command that completes it on the same server', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await writeFile(join(directory, 'token'), token);
    const { code, stderr } = await command('finish', interviewId, '--task-queue', world.taskQueue);
    expect(code).toBe(4);
    expect(stderr).toContain(`Session ${interviewId}: no onboarding is known in this namespace. Nothing was done.`);
    const [, pasted] = /^ {2}temporal-incode (complete .*)$/m.exec(stderr) ?? [];
    expect(pasted).toContain(interviewId);
    const file = join(directory, 'token');
    const completed = await runInShell(`"$1" "$2" ${pasted} --session-token-file ${file} --json`, []);
    expect(completed.stderr).toContain('started');
    expect(JSON.parse(completed.stdout)).toMatchObject({ interviewId, outcome: 'approved' });
  });

  it('exits with 3 after its timeout, and the session continues', async () => {
    const interviewId = await withoutToken();
    const { code, stderr } = await command('finish', interviewId, '--timeout', '1s');
    expect(code).toBe(3);
    expect(stderr).toContain('It waits for a session token, by the update renewToken');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });
});

describe('the command renew-token', () => {
  it('reads the token from stdin, and the session continues', async () => {
    const interviewId = await withoutToken();
    const token = await world.simulator.issueToken(interviewId);
    const ran = await run(['renew-token', '--interview-id', interviewId, '--json', ...target], `${token}\n`);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toEqual({ interviewId, renewed: true });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  });

  it('reads the token from a file', async () => {
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
  ])('exits with 2 for %s without showing it', async (_, make, why) => {
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

describe('the command extend-deadline', () => {
  it('extends the deadline and prints the new one', async () => {
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

  it('exits with 2 for a stage without a deadline', async () => {
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

  it('exits with 2 for an invalid duration and names the option', async () => {
    const { code, stderr } = await command('extend-deadline', 'a', '--by', 'long');
    expect(code).toBe(2);
    expect(stderr).toContain('--by must be a duration');
  });
});

describe('the command cancel', () => {
  it('cancels the onboarding and does not change the session at Incode', async () => {
    const interviewId = await waiting();
    const { code, stdout } = await command('cancel', interviewId, '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ interviewId, cancelled: true });
    expect((await world.onboarding.state(interviewId)).status).toBe('cancelled');
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('exits with 2 without a terminal and without --yes', async () => {
    const interviewId = await waiting();
    const { code, stderr } = await command('cancel', interviewId);
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('exits with 5 for a completed session and prints its outcome', async () => {
    const { code, stderr } = await command('cancel', await completed(), '--yes');
    expect(code).toBe(5);
    expect(stderr).toContain('has already ended (completed, approved)');
  });
});

describe('commands without a worker', () => {
  it.each([
    ['renew-token', '--session-token-file', 'token'],
    ['extend-deadline', '--by', '1d'],
    ['finish'],
    ['cancel', '--yes'],
  ])('%s exits with 3 without a worker', async (name, ...options) => {
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

describe('the command status', () => {
  it('prints all facts about a completed session', async () => {
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
  ])('prints the next command for a session in the stage %s', async (_, make, next) => {
    const interviewId = await make();
    const { stdout } = await command('status', interviewId);
    expect(stdout).toMatch(new RegExp(`^next +${next} ${interviewId} --address ${inject('temporalAddress')}`, 'm'));
    await world.onboarding.cancel(interviewId);
  });
});

describe('an answer from Incode with terminal escapes', () => {
  it('every command prints an answer without its terminal escapes', async () => {
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
