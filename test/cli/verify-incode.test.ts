import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MADE_UP_ID } from '../../src/cli/verify/own-sessions.js';
import { freePort } from '../../src/testing/server/process.js';
import { type Fault, type SimulatorBehavior, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { run } from '../support/cli.js';
import { serve } from '../support/http.js';
import { type Expected, environmentOf, expectedOf, FLOW, openedIn, startVerify, verify } from '../support/verify.js';
import { call } from '../testing/simulator-client.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-verify-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Every possible deviation of the simulator, except for expired sessions. */
const VARIANTS: Partial<SimulatorBehavior>[] = [
  {},
  { foreignId: 'ignored' },
  { foreignId: 'answered' },
  { foreignId: 'ignored', tokenForm: 'anonymous' },
  { foreignId: 'answered', tokenForm: 'opaque' },
  { missingId: 'refused' },
  { secondFinish: 'idempotent' },
  { secondFinish: 'refused' },
  { secondFinish: 'otherAction' },
  { closedFinish: 'refused' },
  { emptyFinish: 'refused' },
  { statusSpelling: 'lowerCase' },
  { statusSpelling: 'trailingSpace' },
  { statusSpelling: 'misspelled' },
  { statusSpelling: 'newValue' },
  { statusLagMs: 600 },
  { scoreLagMs: 600 },
  { redirectionUrl: 'javascript:alert(1)' },
  { knownIdStart: 'newSession' },
  { knownIdStart: 'refused' },
  { unknownIdStart: 'newSession' },
  { earlierTokens: 'revoked' },
  { tokenForm: 'anonymous' },
  { tokenForm: 'opaque' },
  { secondProcessId: 'accepted' },
  { secondProcessId: 'parseError' },
  { secondProcessIdStatus: 409 },
  { secondProcessIdStatus: 500 },
  { requiredHeaders: [] },
  { requiredHeaders: ['api-version'] },
  { requiredHeaders: ['x-api-key', 'api-version', 'content-type'] },
  { apiKeyRefusal: 401 },
  { tokenRefusal: 403 },
  { errorBody: 'html' },
  { errorBody: 'empty' },
  { dateHeader: false },
];

describe.concurrent('verify-incode agrees with what the simulator says of its behavior', () => {
  it.each(VARIANTS)('%j', async (behavior) => {
    await using simulator = await startIncodeSimulator({ behavior });
    const { code, report, stderr } = await verify(simulator);
    expect(report, stderr).toBeDefined();
    const expected = expectedOf(simulator.behavior);
    expect(report.checks.map(({ id }) => id).sort()).toEqual(Object.keys(expected).sort());
    for (const [id, is] of Object.entries(expected)) expectCheck(report, id, is);
    expect(code).toBe(Object.values(expected).some(([verdict]) => verdict === 'unsafe') ? 1 : 0);
    // Includes sessions that a start with an id has opened.
    const opened = openedIn(stderr);
    expect(report.sessions).toHaveLength(opened.length);
    for (const id of opened) expect(simulator.session(id).sessionStatus).toBe('Closed');
  });

  it.each<[Partial<SimulatorBehavior>, 'true' | 'false', Record<string, Advised>]>([
    [
      { foreignId: 'ignored' },
      'false',
      { 'foreign-status': PROTECTED, 'foreign-score': PROTECTED, 'unknown-id': PROTECTED },
    ],
    [{ foreignId: 'ignored', tokenForm: 'anonymous' }, 'false', { 'token-names-session': PROTECTED }],
    [
      { foreignId: 'ignored', tokenForm: 'anonymous' },
      'true',
      { 'foreign-status': REMOVE, 'foreign-score': PROTECTED, 'unknown-id': REMOVE, 'token-names-session': REMOVE },
    ],
    [{ foreignId: 'answered' }, 'true', { 'foreign-status': ['unsafe', /Remove INCODE_REFUSES_FOREIGN_IDS/] }],
    [
      { tokenForm: 'anonymous' },
      'false',
      {
        'foreign-status': ['as assumed', /^Set INCODE_REFUSES_FOREIGN_IDS=true/],
        'token-names-session': ['differs, safe', /^Set INCODE_REFUSES_FOREIGN_IDS=true/],
      },
    ],
    [
      { tokenForm: 'anonymous' },
      'true',
      { 'foreign-status': ['as assumed', undefined], 'token-names-session': ['differs, safe', /^The read by id/] },
    ],
    [{}, 'false', { 'foreign-status': ['as assumed', undefined] }],
  ])(
    'advises workers with an executive token about %j and INCODE_REFUSES_FOREIGN_IDS=%s',
    async (behavior, refusesForeignIds, expected) => {
      await using simulator = await startIncodeSimulator({ behavior });
      const file = await executiveFile(simulator);
      const { report } = await verify(simulator, [], {
        INCODE_EXECUTIVE_TOKEN_FILE: file,
        INCODE_REFUSES_FOREIGN_IDS: refusesForeignIds,
      });
      for (const [id, [verdict, advice]] of Object.entries(expected)) {
        const found = report.checks.find((check) => check.id === id);
        expect(`${id}: ${found?.verdict}`, found?.advice).toBe(`${id}: ${verdict}`);
        if (advice) expect(found?.advice, id).toMatch(advice);
        else expect(found?.advice, id).toBeUndefined();
      }
      for (const { advice } of report.checks) expect(advice ?? '').not.toContain('Give workers an executive token');
    },
  );

  it.each([
    ['refused', ['as assumed', 'refused, 400']],
    ['accepted', ['differs, safe', '200, approved']],
  ] as const)(
    'reports an expired session that the simulator treats with expiredFinish %s',
    async (expiredFinish, expected) => {
      await using simulator = await startIncodeSimulator({ behavior: { expiredFinish } });
      const { child, ended } = startVerify(simulator, ['--wait-for-expiry', '60s']);
      let stderr = '';
      child.stderr.on('data', (chunk) => {
        if (!stderr.includes(EXPIRING) && (stderr + chunk).includes(EXPIRING)) {
          simulator.setOnboardingStatus(String(openedIn(stderr)[3]), 'EXPIRED');
        }
        stderr += chunk;
      });
      const { stdout } = await ended;
      expectCheck(JSON.parse(stdout), 'expired-finish', expected);
    },
  );
});

const EXPIRING = 'Waiting for a session to expire';

type Advised = readonly [verdict: Expected[0], advice: RegExp | undefined];
const PROTECTED: Advised = ['differs, safe', /^Workers with this executive token/];
const REMOVE: Advised = ['differs, configure', /^Remove INCODE_REFUSES_FOREIGN_IDS/];

type Report = Awaited<ReturnType<typeof verify>>['report'];

function expectCheck({ checks }: Report, id: string, [verdict, seen]: Expected): void {
  const found = checks.find((check) => check.id === id);
  expect(`${id}: ${found?.verdict}`, found?.seen).toBe(`${id}: ${verdict}`);
  expect(found?.seen, id).toMatch(seen);
}

describe.concurrent('verify-incode finds', () => {
  it.each([
    [true, ['as assumed', /^429 after \d+ reads, with Retry-After$/]],
    [false, ['differs, safe', /^429 after \d+ reads, without Retry-After$/]],
  ] as const)('reports a rate limit with Retry-After %s', async (retryAfter, expected) => {
    await using simulator = await startIncodeSimulator({ rateLimit: { perSecond: 1, burst: 60, retryAfter } });
    const { code, report } = await verify(simulator, ['--try-rate-limit']);
    expectCheck(report, 'rate-limit', expected);
    // The cleanup did not hit the limit.
    expect(code).toBe(0);
  });

  it('reports the webhook of each finish', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await using simulator = await startIncodeSimulator({ webhook: { url } });
    const { report } = await verify(simulator, ['--public-url', url, '--webhook-port', String(port)]);
    expectCheck(report, 'webhook-after-finish', ['as assumed', /^after \d/]);
    expectCheck(report, 'webhook-fields', ['as assumed', '1 understood']);
    expectCheck(report, 'webhook-repeated', ['as assumed', 'sent again']);
  });

  it('reports a second finish without a webhook', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await using simulator = await startIncodeSimulator({ webhook: { url }, behavior: { secondFinish: 'idempotent' } });
    const { report } = await verify(simulator, ['--public-url', url, '--webhook-port', String(port)]);
    expectCheck(report, 'webhook-repeated', ['differs, safe', 'not sent again']);
  });

  it('reports a finish without a webhook', async () => {
    const port = await freePort();
    await using simulator = await startIncodeSimulator();
    const args = ['--public-url', `http://127.0.0.1:${port}`, '--webhook-port', String(port)];
    expectCheck((await verify(simulator, args)).report, 'webhook-after-finish', ['differs, configure', /^none in/]);
  });

  it.each([
    ['refused', ['as assumed', 'refused, 401']],
    ['ignored', ['differs, configure', /^answered/]],
  ] as const)('tries tokens of other sessions without a finished session, with foreignId %s', async (foreignId, is) => {
    await using simulator = await startIncodeSimulator({ behavior: { foreignId } });
    simulator.fault({ operation: 'finishStatus', kind: 'status', status: 400, times: null });
    const { report } = await verify(simulator);
    expectCheck(report, 'foreign-status', is);
    expectCheck(report, 'foreign-score', is);
  });

  it('takes a fault of Incode at a finish for no refusal', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'finishStatus', kind: 'status', status: 500, times: null });
    const { report } = await verify(simulator);
    expectCheck(report, 'empty-finish', ['could not be tried', 'answered 500']);
    expectCheck(report, 'closed-finish', ['could not be tried', 'answered 500']);
  });

  it('does not judge the headers of a POST if Incode refuses to close a closed session', async () => {
    await using simulator = await startIncodeSimulator();
    // Passes a close without a known action and the first close of two sessions.
    simulator.fault({ operation: 'closeSession', kind: 'status', status: 400, skip: 3 });
    const { report } = await verify(simulator);
    const expected = ['could not be tried', 'a second close was refused, 400'] as const;
    expectCheck(report, 'post-header-content-type', expected);
  });

  it('reports an answer to finish-status without an action', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'finishStatus', kind: 'body', body: '{"done": true}', times: null });
    const { report } = await verify(simulator);
    expectCheck(report, 'finish-answer', ['differs, safe', '200 without an action']);
  });
});

describe.concurrent('the sessions of a run', () => {
  it('sends requests only about sessions of this run', async () => {
    await using simulator = await startIncodeSimulator();
    const other = await simulator.openSession();
    await using recorder = await startRecorder(simulator.url);
    const { stderr } = await verify({ ...simulator, url: recorder.url }, ['--try-rate-limit']);
    const named = recorder.requests.flatMap((request) => request.match(/\b[0-9a-f]{24}\b/g) ?? []);
    expect(new Set(named)).toEqual(new Set([...openedIn(stderr), MADE_UP_ID]));
    expect(recorder.requests.join()).not.toContain(other.token);
    expect(simulator.effects(other.interviewId)).toEqual({ finished: 0, closed: 0, approved: 0 });
  });

  it('deletes its sessions with an executive token', async () => {
    await using simulator = await startIncodeSimulator();
    const { code, report, stderr } = await verify(simulator, [
      '--executive-token-file',
      await executiveFile(simulator),
    ]);
    expectCheck(report, 'executive-read', ['as assumed', 'answered']);
    expectCheck(report, 'executive-score', ['as assumed', 'answered']);
    expect(code).toBe(0);
    expect(openedIn(stderr)).toHaveLength(3);
    for (const id of openedIn(stderr)) expect(() => simulator.session(id)).toThrow('no session');
    expect(report.sessions.every(({ deleted }) => deleted)).toBe(true);
  });

  it('tries the executive token of workers, and deletes nothing with it', async () => {
    await using simulator = await startIncodeSimulator();
    const env = { INCODE_EXECUTIVE_TOKEN_FILE: await executiveFile(simulator) };
    const { code, report } = await verify(simulator, [], env);
    expectCheck(report, 'executive-read', ['as assumed', 'answered']);
    expect(code).toBe(0);
    expect(report.sessions.some(({ deleted }) => deleted)).toBe(false);
  });

  it('closes its sessions after Ctrl-C', async () => {
    await using simulator = await startIncodeSimulator();
    const { child, ended } = startVerify(simulator);
    child.stderr.on('data', (chunk) => String(chunk).includes('Uploading') && child.kill('SIGINT'));
    const { code, stderr, stdout } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout).stopped).toBe('interrupted');
    expect(openedIn(stderr)).toHaveLength(3);
    for (const id of openedIn(stderr)) expect(simulator.session(id).sessionStatus).toBe('Closed');
  });

  it('closes its sessions after Ctrl-C during a start', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'start', kind: 'latency', ms: 1_000, effectAfterMs: 0 });
    const { child, ended } = startVerify(simulator);
    let isKilled = false;
    child.stderr.on('data', (chunk) => {
      if (!isKilled && String(chunk).includes('Opening a session')) isKilled = child.kill('SIGINT');
    });
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    const [id, ...more] = openedIn(stderr);
    expect(more).toEqual([]);
    expect(simulator.session(String(id)).sessionStatus).toBe('Closed');
  });

  it('closes its sessions after --timeout', async () => {
    await using simulator = await startIncodeSimulator({ behavior: { statusSpelling: 'newValue' } });
    const { code, stderr, report } = await verify(simulator, ['--timeout', '6s', '--wait', '60s']);
    expect({ code, stopped: report.stopped }).toEqual({ code: 1, stopped: 'the time was over' });
    for (const id of openedIn(stderr)) expect(simulator.session(id).sessionStatus).toBe('Closed');
  });

  it('closes its sessions when a later start is refused', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'start', kind: 'status', status: 500, skip: 2 });
    const { code, stderr, stdout } = await verify(simulator);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Nothing could be tried: Incode answered 500');
    expect(openedIn(stderr)).toHaveLength(2);
    for (const id of openedIn(stderr)) expect(simulator.session(id).sessionStatus).toBe('Closed');
  });

  it('names sessions that cannot be closed', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'closeSession', kind: 'status', status: 500, times: null });
    const { code, stderr, report } = await verify(simulator);
    expect(code).toBe(1);
    for (const id of openedIn(stderr)) expect(stderr).toContain(`Session ${id} is left over: closing was answered 500`);
    expect(report.sessions).toMatchObject(Array(3).fill({ closed: false, problem: 'closing was answered 500' }));
  });

  it('does not ask to look for sessions if no start was sent', async () => {
    const { code, stderr } = await run(
      ['verify-incode'],
      '',
      environmentOf({ url: 'http://127.0.0.1:1', apiKey: 'k' }),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('Nothing could be tried: Incode could not be reached (ECONNREFUSED)');
    expect(stderr).not.toContain('dashboard');
  });

  it('says how to find a session on the dashboard if a start had no answer', async () => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    const { code, stderr } = await verify(simulator);
    expect(code).toBe(2);
    const [label] = /temporal-incode-verify-\w+/.exec(stderr) ?? [];
    expect(stderr).toContain(
      `1 start that may have opened a session had no answer: look for ${label} on the dashboard`,
    );
  });
});

describe.concurrent('the output', () => {
  it('prints no key, token, interview id, flow or URL in JSON, and no key or token in the progress', async () => {
    await using simulator = await startIncodeSimulator({
      apiKeys: ['key-of-this-test'],
      behavior: { foreignId: 'ignored' },
    });
    const file = await executiveFile(simulator);
    const { stdout, stderr } = await verify(simulator, ['--executive-token-file', file]);
    expect(openedIn(stderr)).toHaveLength(3);
    for (const secret of ['key-of-this-test', FLOW, simulator.url, '127.0.0.1', 'eyJ', ...openedIn(stderr)]) {
      expect(stdout).not.toContain(secret);
    }
    for (const secret of ['key-of-this-test', 'eyJ']) expect(stderr).not.toContain(secret);
  });

  it('prints before it starts how many sessions it opens', async () => {
    await using simulator = await startIncodeSimulator();
    const { stderr } = await verify(simulator);
    expect(stderr).toMatch(/^This run opens 3 sessions \(5 at most\) at Incode \(this machine\)/);
  });

  it('prints a table of 80 columns with required actions first', async () => {
    await using simulator = await startIncodeSimulator({
      behavior: { foreignId: 'answered', knownIdStart: 'refused' },
    });
    const { stdout } = await run(['verify-incode', '--wait', '1s'], '', environmentOf(simulator));
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBe(80);
    expect(stdout).not.toContain('…');
    const order = ['UNSAFE', 'configure', ' safe', 'as assumed', 'not tried'].map((word) => stdout.indexOf(word));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    expect(stdout).toMatch(/^2 UNSAFE, 1 configure, \d+ safe, \d+ as assumed, \d+ not tried$/m);
  });
});

describe.concurrent('verify-incode refuses to run', () => {
  const refused = (args: string[], env: Record<string, string>) => run(['verify-incode', ...args], '', env);
  const production = { INCODE_BASE_URL: 'https://api.example.invalid', INCODE_API_KEY: 'k', INCODE_API_KEY_FILE: '' };

  it.each([
    [[], 'does not look like a demo environment'],
    [['--yes', 'yes'], '--yes must be the word that names the risk: --yes billable-sessions'],
    // Accepted, so it gets as far as the network.
    [['--yes', 'billable-sessions'], 'Nothing could be tried: Incode could not be reached'],
  ])('refuses a base URL that may be production, with %j', async (args, why) => {
    const { code, stderr, stdout } = await refused(['--configuration-id', FLOW, ...args], production);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('    at ');
  });

  it.each<[string[], Record<string, string>, string]>([
    [[], { INCODE_CONFIGURATION_ID: '' }, 'Name the flow: --configuration-id'],
    [[], { INCODE_API_KEY: '' }, 'INCODE_API_KEY is required'],
    [['--executive-token-file', 'no-such-file'], {}, '--executive-token-file'],
    [['--public-url', 'https://user:word@example.com'], {}, '--public-url must be'],
    [['--wait', 'long'], {}, '--wait must be a duration'],
  ])('exits with 2 for the options %j and the environment %j', async (args, env, why) => {
    const demo = environmentOf({ url: 'http://127.0.0.1:1', apiKey: 'k' });
    const { code, stderr, stdout } = await refused(args, { ...demo, ...env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });

  it.each<[object, string]>([
    [{ status: 403 }, 'Incode refused the API key (403)'],
    [{ status: 400 }, 'Incode answered 400 to the first start. Check --configuration-id'],
    [{ kind: 'body', body: '{}' }, 'Incode answered 200 to the first start without a session. Check INCODE_BASE_URL'],
  ])('exits with 2 if the first start is answered %j', async (fault, why) => {
    await using simulator = await startIncodeSimulator();
    simulator.fault({ operation: 'start', kind: 'status', effect: false, ...fault } as Fault);
    const { code, stderr, stdout } = await verify(simulator);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });
});

async function executiveFile(simulator: Awaited<ReturnType<typeof startIncodeSimulator>>): Promise<string> {
  const logIn = { body: { email: 'clerk@example.com', password: 'a password' } };
  const { token } = (await call(simulator, '/executive/log-in', logIn)).body;
  const file = join(directory, `executive-${Math.random()}`);
  await writeFile(file, `${token}\n`);
  return file;
}

/** Forwards and records requests. */
async function startRecorder(to: string) {
  const requests: string[] = [];
  const recorder = await serve(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    requests.push([method, url, JSON.stringify(headers), body].join(' '));
    const { connection: _, host: __, 'content-length': ___, ...forwarded } = headers;
    const init = { method, headers: forwarded as Record<string, string>, ...(body ? { body } : {}) };
    const answer = await fetch(to + url, init);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  return { ...recorder, requests };
}
