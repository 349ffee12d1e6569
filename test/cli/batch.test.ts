import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { batchProgress, completeBatch } from '../../src/client/index.js';
import { type BatchSession, FAILURES } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { type Ran, run, runInShell, start, startWithOpenStdin } from '../support/cli.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let directory: string;
let target: string[];
beforeAll(async () => {
  world = await startTestWorld({ activities: { settleTimeMs: 2_000 } });
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-batch-test-'));
  target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue];
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const path = (name: string) => join(directory, `${randomUUID()}-${name}`);
const batch = (...args: string[]): Promise<Ran> => run(['batch', ...args, ...target]);
const newId = () => `cli-${randomUUID()}`;

async function fileOf(content: string, name = 'sessions.csv'): Promise<string> {
  const file = path(name);
  await writeFile(file, content);
  return file;
}

function csvOf(sessions: BatchSession[]): string {
  const rows = sessions.map(({ interviewId, sessionToken = '' }) => `${interviewId},${sessionToken}\r\n`);
  return `\uFEFFinterviewId,sessionToken\r\n${rows.join('')}`;
}

const twoSessions = async () => world.sessions(2);

describe('the command batch', () => {
  it('completes a CSV and writes results and a summary', async () => {
    const sessions = await world.sessions(30, (index) =>
      index === 1 ? { score: { status: 'FAIL', value: '2.5' }, redirectionUrl: 'https://example.com/?a="b",c' } : {},
    );
    const out = path('results.csv');
    const { code, stdout, stderr } = await batch(await fileOf(csvOf(sessions)), '--out', out);
    expect(stderr).toContain('30 sessions');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^approved +29$/m);
    expect(stdout).toMatch(/^rejected +1$/m);
    const lines = (await readFile(out, 'utf8')).split('\n');
    expect(lines[0]).toBe(
      'interviewId,outcome,action,redirectionUrl,confirmedBy,scoreStatus,scoreValue,onboardingStatus,failureType,failureMessage,notClosed',
    );
    expect(lines[1]).toBe(`${sessions[0]?.interviewId},approved,approved,,response,OK,94.6,ONBOARDING_FINISHED,,,`);
    expect(lines[2]).toBe(
      `${sessions[1]?.interviewId},rejected,approved,"https://example.com/?a=""b"",c",response,FAIL,2.5,ONBOARDING_FINISHED,,,`,
    );
    expect(lines).toHaveLength(32);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
    for (const { sessionToken } of sessions) expect(lines.join() + stdout + stderr).not.toContain(sessionToken);
  });

  it('marks sessions that Incode refuses to close in the results', async () => {
    const sessions = await twoSessions();
    const interviewId = String(sessions[1]?.interviewId);
    const fault = { kind: 'status', status: 404, times: null } as const;
    world.simulator.fault({ operation: 'closeSession', interviewId, ...fault });
    const { code, stdout } = await batch(await fileOf(csvOf(sessions)), '--close', '--out', '-');
    expect(code).toBe(0);
    const rows = stdout.trim().split('\n');
    expect(rows.map((row) => row.split(',').at(-1))).toEqual(['notClosed', '', 'true']);
  });

  it('reads NDJSON from stdin and writes NDJSON to stdout', async () => {
    const sessions = await world.sessions(3);
    const before = await readdir(tmpdir());
    const input = sessions.map((session) => JSON.stringify(session)).join('\n');
    const args = ['batch', '-', '--out', '-', '--out-format', 'ndjson', '--no-score', '--close', ...target];
    const { code, stdout, stderr } = await run(args, input);
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toEqual(
      sessions.map(({ interviewId }) => ({
        interviewId,
        outcome: 'approved',
        finish: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' },
        onboardingStatus: 'ONBOARDING_FINISHED',
      })),
    );
    expect(stderr).toMatch(/^approved +3$/m);
    expect(world.simulator.session(String(sessions[0]?.interviewId)).sessionStatus).toBe('Closed');
    const left = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('temporal-incode-batch-') && !before.includes(name),
    );
    expect(left.filter((name) => !name.startsWith('temporal-incode-batch-test-'))).toEqual([]);
  });

  it('treats the same list in another file as the same batch and does nothing twice', async () => {
    const sessions = await world.sessions(4);
    const first = JSON.parse((await batch(await fileOf(csvOf(sessions)), '--json')).stdout);
    expect(first).toEqual({
      batchId: expect.stringMatching(/^list-[0-9a-f]{16}$/),
      sessions: 4,
      invalid: 0,
      outcomes: { approved: 4 },
      failed: 0,
      stopped: 0,
      failures: {},
    });
    const calls = world.simulator.callsOf().length;
    const ndjson = sessions.map(({ interviewId }) => JSON.stringify({ interview_id: interviewId })).join('\n');
    const again = await batch(await fileOf(ndjson, 'same.ndjson'), '--json', '--resume');
    expect(JSON.parse(again.stdout)).toEqual(first);
    expect(world.simulator.callsOf()).toHaveLength(calls);
  });

  it('accepts a mode for --verify-first, with settle as the default', async () => {
    const looksAt = ({ interviewId }: BatchSession) => world.simulator.callsOf(interviewId, 'onboardingStatus').length;
    const [trusted, settled] = [await world.sessions(1), await world.sessions(1)];
    expect((await batch(await fileOf(csvOf(trusted)), '--verify-first', 'trust')).code).toBe(0);
    expect(trusted.map(looksAt)).toEqual([0]);
    // One read, and another after the settle time.
    expect((await batch(await fileOf(csvOf(settled)), '--verify-first')).code).toBe(0);
    expect(settled.map(looksAt)).toEqual([2]);
    const { code, stderr } = await batch('--verify-first', await fileOf(csvOf(settled)));
    expect(code).toBe(2);
    expect(stderr).toContain('--verify-first takes look, settle, trust');
  });

  it('exits with 6 and names failed sessions, and --retry-failed retries them', async () => {
    const sessions = await world.sessions(3);
    const failing = String(sessions[1]?.interviewId);
    world.simulator.fault({ operation: 'finishStatus', interviewId: failing, kind: 'status', status: 404 });
    const out = path('results.csv');
    const args = [await fileOf(csvOf(sessions)), '--out', out];
    const first = await batch(...args);
    expect(first.code).toBe(6);
    expect(first.stderr).toContain(failing);
    expect(first.stdout).toMatch(/^failed +1 \(IncodeUnknownSession 1\)$/m);
    expect(first.stderr).toMatch(/^ {2}temporal-incode batch .* --retry-failed$/m);
    expect(await readFile(out, 'utf8')).toContain(`${failing},,,,,,,,IncodeUnknownSession,`);
    const second = await batch(...args, '--retry-failed');
    expect(second.code).toBe(0);
    expect(await readFile(out, 'utf8')).not.toContain('Incode');
    expect(world.timesFinished(sessions)).toEqual([1, 1, 1]);
  });

  it('exits with 2 for a batch that was started with another plan', async () => {
    const file = await fileOf(csvOf(await twoSessions()));
    expect((await batch(file)).code).toBe(0);
    expect(await batch(file, '--close')).toMatchObject({ code: 2, stderr: expect.stringContaining('another plan') });
  });

  it('exits with 4 for an unknown id with --resume and starts nothing', async () => {
    const sessions = await twoSessions();
    const args = [await fileOf(csvOf(sessions)), '--resume', '--batch-id', newId()];
    expect(await batch(...args)).toMatchObject({ code: 4, stderr: expect.stringContaining('no such batch') });
    expect(world.timesFinished(sessions)).toEqual([0, 0]);
  });
});

describe('the command batch with invalid rows', () => {
  const rows = 'interviewId,sessionToken\na,t\n,t\nb,"t t"\na,u\nc,t,d\n';

  it('refuses the list, names each invalid row and starts nothing', async () => {
    const batchId = newId();
    const out = path('results.csv');
    const { code, stdout, stderr } = await batch(await fileOf(rows), '--batch-id', batchId, '--out', out);
    expect(code).toBe(2);
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'Line 3: interviewId must be a non-empty string',
      'Line 4: sessionToken must be printable ASCII without spaces or line breaks',
      'Line 5: interviewId a is the same as on line 2',
      'Line 6: has 3 values, the header has 2 columns',
    ]);
    expect(stderr).toContain('4 rows are invalid, so nothing was started');
    expect(stdout).toBe('');
    expect((await run(['batch', '--status', '--batch-id', batchId, ...target])).code).toBe(4);
    expect((await readdir(directory)).filter((name) => name.includes('results.csv') && out.endsWith(name))).toEqual([]);
  });

  it('names the sessions when the token column is shifted by one row', async () => {
    const jwt = (interviewId: string) => `e30.${Buffer.from(JSON.stringify({ interviewId })).toString('base64url')}.x`;
    const shifted = `interviewId,sessionToken\na,${jwt('b')}\nb,${jwt('c')}\nc,${jwt('a')}\n`;
    const { code, stderr } = await batch(await fileOf(shifted), '--dry-run');
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      'Line 2: sessionToken belongs to session b, not to a; hand in the token of a',
      'Line 3: sessionToken belongs to session c, not to b; hand in the token of b',
      'Line 4: sessionToken belongs to session a, not to c; hand in the token of c',
    ]);
    expect(code).toBe(2);
  });

  it.each(['csv', 'ndjson'])(
    'refuses a token that two sessions share, even with --skip-invalid (%s)',
    async (format) => {
      const sessions = await twoSessions();
      // Tokens without a claim that names their session.
      const sessionToken = 'a-token-of-one-session';
      const [first, second] = sessions.map(({ interviewId }) => ({ interviewId, sessionToken }));
      const content =
        format === 'csv'
          ? csvOf([first, second] as BatchSession[])
          : `${JSON.stringify(first)}\n${JSON.stringify(second)}`;
      const { code, stdout, stderr } = await batch(await fileOf(content, `list.${format}`), '--skip-invalid');
      const [firstLine, secondLine] = format === 'csv' ? [2, 3] : [1, 2];
      expect(stderr).toContain(`Line ${secondLine}: sessionToken is the same as on line ${firstLine}`);
      expect(stderr).toContain(
        '1 row has the token of another session, which would swap verdicts, so nothing was started',
      );
      expect(stderr).not.toContain(sessionToken);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(world.timesFinished(sessions)).toEqual([0, 0]);
    },
  );

  it('skips invalid rows with --skip-invalid', async () => {
    const sessions = await twoSessions();
    const [first, second] = csvOf(sessions).trim().split('\r\n').slice(1);
    const content = `session_token,note,interview_id\n${[first, first, second].map((row) => `${row?.split(',')[1]},x,${row?.split(',')[0]}`).join('\n')}\nbad`;
    const { code, stdout, stderr } = await batch(await fileOf(content), '--skip-invalid', '--json');
    expect(stderr).toContain('Ignored: "note"');
    expect(JSON.parse(stdout)).toMatchObject({ sessions: 2, invalid: 2, outcomes: { approved: 2 } });
    expect(code).toBe(0);
  });

  it('refuses a list with only invalid rows', async () => {
    const { code, stderr } = await batch(await fileOf('interviewId\n" "\n'), '--skip-invalid');
    expect(code).toBe(2);
    expect(stderr).toContain('no session');
  });

  it('checks the list with --dry-run and without a server', async () => {
    const { interviewId, token } = await world.simulator.openSession({ tokenExpiresInMs: -1_000 });
    const file = await fileOf(`interviewId,sessionToken\na,\n${interviewId},${token}\n`);
    const { code, stdout, stderr } = await run(['batch', file, '--dry-run', '--address', '127.0.0.1:1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^2 sessions, batch list-[0-9a-f]{16}\. 1 session has no token and needs .*Nothing was started\.$/m,
    );
    expect(stderr).toContain('1 token has expired, the first on line 3');
    expect(stdout + stderr).not.toContain(token);
  });
});

describe('usage of the command batch', () => {
  it.each([
    [[], 'Which file?'],
    [['missing.csv'], 'Cannot read missing.csv: it does not exist'],
    [['.'], 'Cannot read .: it is a directory'],
    [['--stop'], '--stop needs a batch'],
    [['--stop', '--pause', '--batch-id', 'a'], 'Use only one of --stop, --pause'],
    [['--status', '--batch-id', "a'b"], 'batchId must have'],
    [['a.csv', '--batch-id', 'a b'], 'batchId must have'],
    [['a.csv', '--score-deadline', 'soon'], 'plan.scoreDeadline must be a duration'],
    [['a.csv', '--window', '0'], '--window must be'],
    [['a.csv', '--out', '-', '--json'], 'would both write to stdout'],
    [['a.csv', '--format', 'xlsx'], 'csv, ndjson'],
    [['a.csv', 'b.csv'], 'too many arguments'],
  ])('exits with 2 and a reason for the arguments %j', async (args, why) => {
    const { code, stderr, stdout } = await batch(...args);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('    at ');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([
    ['the input file', async (file: string) => file, 'is the input file'],
    ['a directory that is not there', async () => join(directory, 'nowhere', 'out.csv'), 'cannot write to'],
  ])('refuses %s as --out before anything starts', async (_, out, why) => {
    const sessions = await twoSessions();
    const file = await fileOf(csvOf(sessions));
    expect(await batch(file, '--out', await out(file))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why),
    });
    expect(world.timesFinished(sessions)).toEqual([0, 0]);
  });
});

/** Limits files to 512 or 1,024 bytes, which fails as a full disk does. */
const SMALL_FILES = 'ulimit -f 1; exec "$@"';

describe('the command batch on a full disk', () => {
  it('exits with 1, prints the command to attach again, and keeps the old results', async () => {
    const sessions = await world.sessions(20);
    const out = path('results.csv');
    await writeFile(out, 'of an earlier run');
    const { code, stderr } = await runInShell(SMALL_FILES, [
      'batch',
      await fileOf(csvOf(sessions)),
      '--out',
      out,
      ...target,
    ]);
    expect(stderr).toContain(`--out: cannot write ${out}: the file would be larger than the system allows`);
    expect(stderr).toMatch(
      /Started sessions continue on the server. Attach again:\n {2}temporal-incode batch .*--resume/,
    );
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(1);
    expect(await readFile(out, 'utf8')).toBe('of an earlier run');
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuses a list from stdin and says what to do', async () => {
    const { code, stdout, stderr } = await runInShell(
      SMALL_FILES,
      ['batch', '-', ...target],
      'interviewId\n'.padEnd(10_000, 'a\n'),
    );
    expect(stderr).toMatch(/^Cannot keep stdin in .*: the file would be larger .*Nothing was started. Set TMPDIR/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it.runIf(existsSync('/dev/full'))('reports a full disk when it writes to stdout', async () => {
    const ran = await runInShell('exec "$@" > /dev/full', ['--version']);
    expect(ran).toEqual({ code: 1, stdout: '', stderr: 'Cannot write to stdout: the disk is full\n' });
  });
});

describe('the command batch while it runs', () => {
  /** The first session has no score, so the batch runs until it is stopped. */
  const slow = () => world.sessions(3, (index) => (index === 0 ? { scoreReadyAfterMs: null } : {}));

  it('detaches at Ctrl-C and prints a working command to attach again', async () => {
    const sessions = await slow();
    const file = await fileOf(csvOf(sessions), "it's a list.csv");
    const out = path('results.csv');
    await writeFile(out, 'of an earlier run');
    const { child, ended } = start(['batch', file, '--out', out, ...target]);
    await expect.poll(() => world.timesFinished(sessions)).toEqual([1, 1, 1]);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toContain('The batch continues on the server with 3 of 3 sessions');
    expect(stderr).toContain('All were started.');
    expect(await readFile(out, 'utf8')).toBe('of an earlier run');
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const [, command = ''] = /^ {2}temporal-incode (.*)$/m.exec(stderr) ?? [];
    expect(command).toMatch(/--batch-id list-[0-9a-f]{16} --resume$/);
    world.simulator.setScoreReady(sessions[0]?.interviewId ?? '');
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;
    await promisify(execFile)('sh', ['-c', `"${process.execPath}" "${main}" ${command}`]);
    expect((await readFile(out, 'utf8')).trim().split('\n')).toHaveLength(4);
    expect(world.timesFinished(sessions)).toEqual([1, 1, 1]);
  });

  it('detaches and leaves no temporary file when its terminal is closed', async () => {
    const sessions = await slow();
    const batchId = newId();
    const out = path('results.csv');
    const file = await fileOf(csvOf(sessions));
    const { child, ended } = start(['batch', file, '--batch-id', batchId, '--out', out, ...target]);
    await expect.poll(() => world.timesFinished(sessions)).toEqual([1, 1, 1]);
    child.kill('SIGHUP');
    expect(await ended).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('The batch continues on the server'),
    });
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await run(['batch', '--stop', '--batch-id', batchId, ...target]);
  });

  it('ends at Ctrl-C while it still reads stdin, before anything starts', async () => {
    const { child, ended } = startWithOpenStdin(['batch', '-', ...target]);
    // More than a pipe holds, so once it is all written, the program has begun to read.
    const rows = 'interviewId\n'.padEnd(1_000_000, 'a\n');
    await new Promise((resolve) => child.stdin.write(rows, resolve));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 3,
      stdout: '',
      stderr: 'Interrupted. Nothing was started.\n',
    });
  });

  it('leaves nothing of stdin behind when it is killed while it reads', async () => {
    const TMPDIR = await mkdtemp(join(directory, 'spool-'));
    const { child, ended } = startWithOpenStdin(['batch', '-', ...target], { TMPDIR });
    // More than a pipe holds, so once it is all written, the program has begun to read.
    await new Promise((resolve) => child.stdin.write('interviewId\n'.padEnd(1_000_000, 'a\n'), resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await readdir(TMPDIR)).toEqual([]);
  });

  it('prints at Ctrl-C how many sessions were not started', async () => {
    const sessions = [...(await slow()), ...Array.from({ length: 3_997 }, () => ({ interviewId: randomUUID() }))];
    const batchId = newId();
    const args = ['batch', await fileOf(csvOf(sessions)), '--batch-id', batchId, '--window', '1', '--json', ...target];
    const { child, ended } = start(args);
    await expect
      .poll(() =>
        batchProgress(world.onboarding, batchId).then(
          ({ total }) => total,
          () => 0,
        ),
      )
      .toBe(2_000);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(3);
    expect(stderr).toContain('2,000 were not started. Attach again to start the rest.');
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, handedOver: 2_000, notHandedOver: 2_000 });
    await world.shard(batchId, 0).terminate();
  });

  it('prints its progress, --status prints it elsewhere, and --stop keeps results', async () => {
    const sessions = await slow();
    const batchId = newId();
    const out = path('results.ndjson');
    const running = batch(await fileOf(csvOf(sessions)), '--batch-id', batchId, '--out', out);
    await expect.poll(() => world.timesFinished(sessions)).toEqual([1, 1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    const at = ['batch', '--batch-id', batchId, ...target];
    expect((await run([...at, '--pause'])).stdout).toContain('is paused: 1 running shard');
    const status = await run([...at, '--status']);
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/^done +2$/m);
    expect(status.stdout).toMatch(/^waiting +1$/m);
    expect(status.stdout).toMatch(/^paused +yes$/m);
    expect((await run([...at, '--unpause'])).stdout).toContain('continues');
    expect(JSON.parse((await run([...at, '--stop', '--json'])).stdout)).toEqual({
      batchId,
      stopped: true,
      shardsEnding: 0,
    });
    const { code, stderr } = await running;
    expect(code).toBe(6);
    for (const action of ['stop', 'pause', 'unpause']) {
      const { stdout } = await run([...at, `--${action}`]);
      expect(stdout).toContain('has no running shards, so there was nothing to');
    }
    expect(stderr).toMatch(/^2 of 3, 1 waiting, /m);
    const rows = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ outcome, failure }) => outcome ?? failure.type)).toEqual([
      FAILURES.batchStopped,
      'approved',
      'approved',
    ]);
  });

  it('attaches to a batch that a service has started', async () => {
    const sessions = await world.sessions(2);
    const batchId = newId();
    await all(completeBatch(world.onboarding, sessions, { batchId, taskQueue: world.taskQueue }));
    const { code, stdout } = await batch(await fileOf(csvOf(sessions)), '--batch-id', batchId, '--resume', '--json');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, batchId, outcomes: { approved: 2 } });
    expect(world.timesFinished(sessions)).toEqual([1, 1]);
  });
});
