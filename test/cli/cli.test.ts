import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createIncodeClient } from '../../src/incode/index.js';
import { startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { run, runInShell, start } from '../support/cli.js';
import { API_KEY, startTestWorld, type TestWorld } from '../support/world.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let world: TestWorld;
let directory: string;
let target: string[];
beforeAll(async () => {
  world = await startTestWorld();
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-cli-'));
  target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue];
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function executiveToken(): Promise<string> {
  const incode = createIncodeClient({ baseUrl: world.simulator.url, apiKey: API_KEY });
  const { token } = await incode.logIn({ email: 'clerk@example.com', password: 'a password' });
  await incode.close();
  return token;
}

async function tokenFile(token: string): Promise<string> {
  const file = join(directory, `token-${Math.random()}`);
  await writeFile(file, `${token}\n`);
  return file;
}

/** The commands about one session are in `sessions.test.ts`. */
const COMMANDS = [
  ...['complete', 'batch', 'status', 'list', 'demo', 'dev', 'worker', 'webhooks', 'codec-server', 'simulator'],
  ...['setup', 'doctor', 'verify-incode', 'completion'],
];

describe('usage of temporal-incode', () => {
  it('lists the commands and exit codes with --help', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const part of ['One session:', 'Many sessions:', 'Run it:', 'Operate it:', 'Exit codes:'])
      expect(stdout).toContain(part);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it.each(COMMANDS)('%s --help has an example', async (command) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('$ ');
  });

  it.each([
    [['unknown-command'], "unknown command 'unknown-command'\nSee: temporal-incode --help"],
    [[], 'Usage'],
    [['status'], 'Which session? temporal-incode status <interview-id>\nSee: temporal-incode status --help'],
    [['status', 'a', '--interview-id', 'b'], 'Name one session: the argument and --interview-id differ'],
    [['extend-deadline', 'a'], 'How much longer? temporal-incode extend-deadline <interview-id> --by "7 days"'],
    [['extend-deadline', 'a', '--bye', '1d'], '(Did you mean --by?)\nSee: temporal-incode extend-deadline --help'],
    [['status', '--interview-id', 'a', '--jsn'], '--jsn'],
    [['renew-token', 'a', '--session-token', 'b'], "'--session-token'\n(Did you mean --session-token-file?)\nSee: "],
    [['status', 'a', 'extra'], 'too many arguments'],
    [['complete', '--interview-id', 'a', '--if-completed', 'again'], 'refuse, return, restart'],
    [['complete', '--interview-id', 'a', '--timeout', 'long'], '--timeout must be a duration'],
    [['dev', '--port', '70000'], '--port must be a port'],
    [['dev', '--images', 'no-such-directory'], '--images: cannot read no-such-directory: it does not exist'],
    [['dev', '--images', 'package.json'], '--images: package.json is not a directory'],
  ])('exits with 2 and a reason for the arguments %j', async (args, why) => {
    const { code, stderr, stdout } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
  });
});

describe('the command complete', () => {
  it('prints only the result as JSON on stdout', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const args = [
      'complete',
      '--interview-id',
      interviewId,
      '--session-token-file',
      await tokenFile(token),
      '--json',
      ...target,
    ];
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ interviewId, outcome: 'approved', finish: { confirmedBy: 'response' } });
    expect(stderr).toContain('started');
  });

  it('prints a readable result and reads the token from stdin', async () => {
    const { interviewId, token } = await world.simulator.openSession({ action: 'none' });
    const args = [
      'complete',
      '--interview-id',
      interviewId,
      '--session-token-file',
      '-',
      '--no-score',
      '--close',
      ...target,
    ];
    const { code, stdout } = await run(args, `${token}\n`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^outcome +undecided$/m);
    expect(world.simulator.session(interviewId).sessionStatus).toBe('Closed');
  });

  it('exits with 5 for a completed session, and with 0 with --if-completed return', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const args = ['complete', '--interview-id', interviewId, '--session-token-file', await tokenFile(token), ...target];
    expect((await run(args)).code).toBe(0);
    const refused = await run(args);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('already completed: approved');
    expect((await run([...args, '--if-completed', 'return'])).code).toBe(0);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('exits with 1 and the failure type for a session that Incode refuses', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    const args = ['complete', '--interview-id', interviewId, '--session-token-file', await tokenFile(token), ...target];
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toContain('IncodeUnknownSession');
    expect(stderr).not.toContain(token);
  });

  it('prints for a refused session the command that starts it again and reads its status first', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    // As after a finish by somebody else, while the status still says unfinished.
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 400 });
    const file = await tokenFile(token);
    const { code, stderr } = await run(['complete', interviewId, '--session-token-file', file, ...target]);
    expect(code).toBe(1);
    expect(stderr).toContain('(IncodeBadRequest)');
    expect(stderr).toContain('If somebody else has just finished it, wait a minute');
    const [, pasted] = /^ {2}temporal-incode (complete .*)$/m.exec(stderr) ?? [];
    const incode = createIncodeClient({ baseUrl: world.simulator.url, apiKey: API_KEY });
    await incode.finishStatus({ interviewId, sessionToken: token });
    await incode.close();
    const again = await runInShell(`"$1" "$2" ${pasted} --json`, []);
    expect(JSON.parse(again.stdout)).toMatchObject({ interviewId, finish: { confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('exits with 3 after the timeout and says that the session waits for a token', async () => {
    const { interviewId } = await world.simulator.openSession();
    const { code, stderr } = await run(['complete', '--interview-id', interviewId, '--timeout', '4s', ...target]);
    expect(code).toBe(3);
    expect(stderr).toContain('needsToken: waits for a session token');
    await world.onboarding.cancel(interviewId);
  });

  it.each([
    ['an expired token', async () => (await world.simulator.openSession({ tokenExpiresInMs: -1_000 })).token],
    ['a token with a line break in it', async () => 'a\nb'],
    ['an empty file', async () => ''],
  ])('exits with 2 for %s before anything starts', async (_, makeToken) => {
    const args = [
      'complete',
      '--interview-id',
      'never-started',
      '--session-token-file',
      await tokenFile(await makeToken()),
      ...target,
    ];
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain('sessionToken');
    expect((await run(['status', '--interview-id', 'never-started', ...target])).code).toBe(4);
  });

  it('exits with 2 for a missing token file', async () => {
    const args = ['complete', '--interview-id', 'a', '--session-token-file', join(directory, 'missing'), ...target];
    expect(await run(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--session-token-file: cannot read .*missing: it does not exist$/m),
    });
  });

  it('says how to start a server if there is none', async () => {
    const { code, stderr } = await run(['complete', '--interview-id', 'a', '--address', '127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toContain('Nothing is listening at 127.0.0.1:1.');
    expect(stderr).toContain('temporal-incode dev');
  });
});

describe('the command status for a session without a workflow', () => {
  const incode = () => ({ INCODE_BASE_URL: world.simulator.url, INCODE_API_KEY: API_KEY });
  const ask = (interviewId: string, args: string[], env: Record<string, string>) =>
    run(['status', '--interview-id', interviewId, ...args, ...target], '', env);
  const calls = (interviewId: string) => world.simulator.callsOf(interviewId).map(({ operation }) => operation);

  it.each([
    ['ONBOARDING_FINISHED', /^next +nothing: it is finished/m],
    ['UNKNOWN', /^next +if it is in a list, see: .*batch --status --batch-id <id>$/m],
    ['EXPIRED', /^next +nothing: the session has expired/m],
  ])(
    'reads the status %s from Incode and suggests nothing that could finish the session',
    async (onboardingStatus, next) => {
      const { interviewId, token } = await world.simulator.openSession({ onboardingStatus });
      const { code, stdout } = await ask(interviewId, ['--session-token-file', await tokenFile(token)], incode());
      expect(stdout).toMatch(new RegExp(`^onboarding status +${onboardingStatus}, from Incode just now$`, 'm'));
      expect(stdout).toMatch(next);
      expect(stdout).not.toMatch(/caution/);
      expect(stdout).not.toMatch(/incode (complete|finish)/);
      expect(code).toBe(4);
      expect(calls(interviewId)).toEqual(['onboardingStatus']);
    },
  );

  it("prints Incode's status as JSON", async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const args = ['--json', '--session-token-file', await tokenFile(token)];
    const { code, stdout } = await ask(interviewId, args, incode());
    expect(JSON.parse(stdout)).toEqual({ interviewId, workflowId: null, onboardingStatus: 'UNKNOWN', caution: null });
    expect(code).toBe(4);
  });

  it('says how to ask Incode if the token or the configuration is missing', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const file = await tokenFile(token);
    const without = { INCODE_BASE_URL: '', INCODE_API_KEY: '', INCODE_API_KEY_FILE: '' };
    for (const [args, env] of [
      [[], incode()],
      [['--session-token-file', file], without],
    ] as const) {
      const { code, stdout, stderr } = await ask(interviewId, [...args], env);
      expect(stderr).toContain('or a batch completed the session');
      expect(stderr).toContain('add --session-token-file or set INCODE_EXECUTIVE_TOKEN_FILE');
      expect(stderr).not.toMatch(/[Ss]tart it/);
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    }
    expect(calls(interviewId)).toEqual([]);
  });

  it.each(['a file with an executive token', 'the log-in of an executive user'])(
    'reads the status by id with %s, without a session token',
    async (way) => {
      const { interviewId } = await world.simulator.openSession({ onboardingStatus: 'ONBOARDING_FINISHED' });
      const env: Record<string, string> = way.startsWith('a file')
        ? { INCODE_EXECUTIVE_TOKEN_FILE: await tokenFile(await executiveToken()) }
        : {
            INCODE_EXECUTIVE_EMAIL: 'clerk@example.com',
            INCODE_EXECUTIVE_PASSWORD_FILE: await tokenFile('a password'),
          };
      const { code, stdout } = await ask(interviewId, [], { ...incode(), ...env });
      expect(stdout).toMatch(/^onboarding status +ONBOARDING_FINISHED, from Incode just now$/m);
      expect(stdout).not.toMatch(/caution/);
      expect(code).toBe(4);
      expect(calls(interviewId)).toEqual(['onboardingStatus']);
    },
  );

  it('names an executive token that Incode refuses', async () => {
    const { interviewId } = await world.simulator.openSession();
    const env = { ...incode(), INCODE_EXECUTIVE_TOKEN_FILE: await tokenFile('of-yesterday') };
    const { code, stderr } = await ask(interviewId, [], env);
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('refuses the executive token') });
  });

  it("prints Incode's refusal, and refuses the token of another session without a request", async () => {
    const [one, other] = [await world.simulator.openSession(), await world.simulator.openSession()];
    world.simulator.revokeTokens(one.interviewId);
    const refused = await ask(one.interviewId, ['--session-token-file', await tokenFile(one.token)], incode());
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('cannot read its status from Incode.') });
    const foreign = await ask(one.interviewId, ['--session-token-file', await tokenFile(other.token)], incode());
    expect(foreign).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`belongs to session ${other.interviewId}`),
    });
  });
});

describe("a status that Incode answers to a token that is not proven to be the session's own", () => {
  const CAUTION = /^caution +nothing proves that the token belongs to [0-9a-f]+: an Incode that ignores ids/m;
  const FINISHED = /^onboarding status +ONBOARDING_FINISHED, from Incode just now$/m;
  const asked = async (args: string[], env: Record<string, string> = {}) => {
    await using simulator = await startIncodeSimulator({
      behavior: { tokenForm: 'anonymous', foreignId: 'ignored' },
      apiKeys: [API_KEY],
    });
    const { interviewId } = await simulator.openSession();
    const other = await simulator.openSession({ onboardingStatus: 'ONBOARDING_FINISHED' });
    const incode = { INCODE_BASE_URL: simulator.url, INCODE_API_KEY: API_KEY, ...env };
    const tokens = ['--session-token-file', await tokenFile(other.token)];
    return await run(['status', interviewId, ...tokens, ...args, ...target], '', incode);
  };

  it('prints a caution, because it may be the status of another session', async () => {
    const { code, stdout } = await asked([]);
    expect(stdout).toMatch(FINISHED);
    expect(stdout).toMatch(CAUTION);
    expect(stdout).not.toContain('nothing: it is finished');
    expect(code).toBe(4);
  });

  it('prints the caution as JSON', async () => {
    const { stdout } = await asked(['--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      onboardingStatus: 'ONBOARDING_FINISHED',
      caution: expect.stringContaining('nothing proves that the token belongs to'),
    });
  });

  it('prints no caution with INCODE_REFUSES_FOREIGN_IDS', async () => {
    const { stdout } = await asked([], { INCODE_REFUSES_FOREIGN_IDS: 'true' });
    expect(stdout).toMatch(FINISHED);
    expect(stdout).not.toMatch(/caution/);
  });

  it('refuses another value of INCODE_REFUSES_FOREIGN_IDS', async () => {
    const { code, stderr } = await asked([], { INCODE_REFUSES_FOREIGN_IDS: 'yes' });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('INCODE_REFUSES_FOREIGN_IDS must be'),
    });
  });
});

describe('the command status', () => {
  it('prints the state of a session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const headers = { 'retry-after': '600' };
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 429, headers });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).call?.nextAttemptAt).toBeTruthy();
    const { code, stdout } = await run(['status', '--interview-id', interviewId, ...target]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^stage +finishing$/m);
    expect(stdout).toMatch(/^call +finishStatus, attempt 2$/m);
    expect(stdout).toContain('IncodeNotTaken');
    const json = await run(['status', '--interview-id', interviewId, '--json', ...target]);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 'running', call: { attempt: 2 } });
    await world.onboarding.cancel(interviewId);
  });

  it('exits with 4 for an unknown session', async () => {
    expect(await run(['status', '--interview-id', 'unknown', ...target])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('Session unknown'),
    });
  });
});

describe('the command simulator', () => {
  it('opens sessions as Incode does until SIGTERM', async () => {
    const child = spawn(process.execPath, [MAIN, 'simulator', '--port', '0', '--api-key', 'K', '--json']);
    const [line] = await once(child.stdout, 'data');
    const { url } = JSON.parse(String(line));
    const response = await fetch(`${url}/omni/start`, {
      method: 'POST',
      headers: { 'x-api-key': 'K', 'api-version': '1.0', 'content-type': 'application/json' },
      body: '{"configurationId": "demo", "countryCode": "ALL", "language": "en-US"}',
    });
    expect(await response.json()).toMatchObject({
      existingSession: false,
      interviewId: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});

describe('temporal-incode with a problem', () => {
  it('complete, list and batch print the setup command for a namespace without search attributes', async () => {
    const namespace = `bare-${randomUUID()}`;
    const { workflowService } = world.temporal;
    const workflowExecutionRetentionPeriod = { seconds: 86_400 as unknown as Long };
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    const known = () =>
      workflowService.listWorkflowExecutions({ namespace }).then(
        () => true,
        () => false,
      );
    await expect.poll(known).toBe(true);
    const list = join(directory, 'bare.csv');
    await writeFile(list, 'interviewId\nany\n');
    const server = ['--address', target[1] ?? '', '--namespace', namespace];
    for (const args of [
      ['complete', '--interview-id', 'any'],
      ['list', '--stage', 'waiting'],
      ['batch', list],
    ]) {
      const { code, stderr } = await run([...args, ...server]);
      expect([args[0], code]).toEqual([args[0], 2]);
      expect(stderr).toContain(`temporal-incode setup ${server.join(' ')}`);
      expect(stderr).not.toContain('    at ');
    }
  });

  it('complete exits with 2 for a session with another plan, or attaches on request', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const file = await tokenFile(token);
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
    const args = ['complete', ...target, '--interview-id', interviewId, '--session-token-file', file, '--close'];
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain('is being completed with another plan: close is false.');
    const attached = run([...args, '--if-plan-differs', 'attach', '--if-completed', 'return']);
    await world.onboarding.finish({ interviewId });
    expect(await attached).toMatchObject({ code: 0, stdout: expect.stringContaining('approved') });
  });

  it('complete exits with 3 without a worker and names the task queue', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const queue = ['--task-queue', 'nobody-works-here', '--timeout', '2s'];
    const file = await tokenFile(token);
    const args = ['complete', ...target.slice(0, 2), ...queue, '--interview-id', interviewId];
    const { code, stderr } = await run([...args, '--session-token-file', file]);
    expect(code).toBe(3);
    expect(stderr).toContain('No worker polls the task queue nobody-works-here');
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it.each([
    ['an empty id', ['complete', '--interview-id', ''], 'interviewId'],
    ['an id with a space', ['status', '--interview-id', 'a b'], 'interviewId'],
    ['an empty file name', ['complete', '--interview-id', 'a', '--session-token-file', ''], 'session-token-file'],
    ['an empty flow', ['complete', '--interview-id', 'a', '--flow-id', ''], 'flowId'],
  ])('refuses %s before it sends anything', async (_, args, field) => {
    const { code, stderr } = await run([...args, '--address', '127.0.0.1:9']);
    expect(code).toBe(2);
    expect(stderr).toContain(field);
  });

  it('names a profile that does not exist', async () => {
    const { code, stderr } = await run(['status', '--interview-id', 'a'], '', { TEMPORAL_PROFILE: 'nope' });
    expect(code).toBe(2);
    expect(stderr).toContain('nope');
  });

  it('names a namespace that does not exist', async () => {
    const { code, stderr } = await run([
      'status',
      ...target.slice(0, 2),
      '--interview-id',
      'a',
      '--namespace',
      'bogus',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('bogus');
  });

  it('reports a port that is in use without a stack trace', async () => {
    const { code, stderr } = await run(['simulator', '--port', String(world.simulator.port)]);
    expect(code).toBe(1);
    expect(stderr).toBe(`The Incode simulator: port ${world.simulator.port} is taken\n`);
  });

  it('does not use a proxy for addresses on this machine', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    const proxy = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9', no_proxy: '' };
    const { code, stdout } = await run(['status', ...target, '--interview-id', interviewId], '', proxy);
    expect(code).toBe(0);
    expect(stdout).toContain('approved');
  });
});

it('prints commands with npx when npx started it', async () => {
  const { stderr } = await run(['status'], '', { npm_command: 'exec' });
  expect(stderr).toContain('npx temporal-incode status <interview-id>');
});

it('prints commands in notices with npx when npx started it', async () => {
  const { stderr } = await run(['list', ...target, '--batch', 'nobody-has-this'], '', { npm_command: 'exec' });
  expect(stderr).toContain('npx temporal-incode batch --status --batch-id nobody-has-this');
});

it('says at Ctrl-C that the session continues and how to see its state', async () => {
  const { interviewId, token } = await world.simulator.openSession();
  const args = ['complete', interviewId, '--address', inject('temporalAddress'), '--task-queue', 'nobody-works-here'];
  const { child, ended } = start([...args, '--session-token-file', '-'], token);
  await expect
    .poll(async () => (await world.onboarding.state(interviewId).catch(() => undefined))?.status)
    .toBe('running');
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain(
    `Session ${interviewId} continues on the server. See its state: temporal-incode status ${interviewId}`,
  );
  await world.temporal.workflow.getHandle(`incode-onboarding/${interviewId}`).terminate();
});
