import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { connectOnboardingClient } from 'temporal-incode/client';
import { keyRing } from 'temporal-incode/codec';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { FAILURES } from '../../src/contract/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { run } from '../support/cli.js';

// A real worker process with its secrets in files.

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const RIGHT = 'right-key-that-must-not-be-seen';
const WRONG = 'wrong-key-that-must-not-be-seen';
const ENCRYPTION_KEY = Buffer.alloc(32, 'k').toString('base64');
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-secrets-'));
const keyFile = join(directory, 'api-key');
const encryptionKeys = join(directory, 'encryption-keys');
writeFileSync(encryptionKeys, `one:${ENCRYPTION_KEY}\n`);
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  rmSync(directory, { recursive: true });
});

/** Replaces the file atomically, as a mounted secret changes. */
function writeKey(key: string): void {
  writeFileSync(`${keyFile}.new`, `${key}\n`);
  renameSync(`${keyFile}.new`, keyFile);
}

async function startWorker(queue: string, more: Record<string, string> = {}) {
  const simulator = await startIncodeSimulator({ apiKeys: [RIGHT], timeScale: 0.01 });
  ends.push(() => simulator.close());
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY_FILE: keyFile,
    INCODE_SETTLE_TIME: '400ms',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: inject('temporalNamespace'),
    TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: encryptionKeys,
    WORKER_TASK_QUEUE: `${queue}-${process.pid}`,
    WORKER_BULK_TASK_QUEUE: `${queue}-bulk-${process.pid}`,
    LOG_LEVEL: 'trace',
    ...more,
  };
  const child = spawn(process.execPath, [MAIN, 'worker'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  ends.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closed;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  await expect.poll(() => output).toContain('Worker ready');
  const onboarding = await connectOnboardingClient({
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    taskQueue: env.WORKER_TASK_QUEUE,
    encryptionKeys: keyRing(`one:${ENCRYPTION_KEY}`),
  });
  ends.push(() => onboarding.close());
  return { child, closed, simulator, onboarding, env, output: () => output };
}

describe('a worker with INCODE_API_KEY_FILE', () => {
  it('completes waiting sessions after a wrong key is corrected, without a restart', async () => {
    writeKey(WRONG);
    const { child, closed, simulator, onboarding, env, output } = await startWorker('key-file');
    const doctor = async () => JSON.parse((await run(['doctor', '--json'], '', env)).stdout).checks;
    const incodeCheck = async () => (await doctor()).find(({ name }: { name: string }) => name === 'Incode');

    const waiting = await simulator.openSession();
    await onboarding.start({ interviewId: waiting.interviewId, sessionToken: waiting.token });
    const failure = async () => (await onboarding.state(waiting.interviewId)).call?.lastFailure;
    await expect.poll(async () => (await failure())?.type).toBe(FAILURES.apiKeyRefused);
    expect((await failure())?.message).toContain('answered 403');
    await expect.poll(output).toContain('correct the file that INCODE_API_KEY_FILE names');
    expect(await incodeCheck()).toMatchObject({ status: 'failed', message: expect.stringContaining('403') });

    writeKey(RIGHT);
    // A new session does not wait: its first call may be refused, but the next one has the new key.
    const later = await simulator.openSession();
    await onboarding.start({ interviewId: later.interviewId, sessionToken: later.token });
    await expect.poll(async () => (await onboarding.state(later.interviewId)).result?.outcome).toBe('approved');
    expect(simulator.effects(waiting.interviewId).finished).toBe(0);
    await expect.poll(async () => (await onboarding.state(waiting.interviewId)).result?.outcome).toBe('approved');
    expect(simulator.effects(waiting.interviewId).finished).toBe(1);
    expect(await incodeCheck()).toMatchObject({ status: 'ok' });

    // An invalid change is logged, and the last key stays in use.
    writeKey('two keys');
    const last = await simulator.openSession();
    await onboarding.start({ interviewId: last.interviewId, sessionToken: last.token });
    expect((await onboarding.result(last.interviewId)).outcome).toBe('approved');
    // The same holds for the file of encryption keys.
    writeFileSync(encryptionKeys, 'no key');
    const warnings = () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .filter(({ level, msg }) => level === 'warn' && msg.includes('The last valid value stays in use'));
    const named = async () => {
      // Something must be decrypted, so that the file is read.
      await onboarding.state(last.interviewId);
      const next = await simulator.openSession();
      await onboarding.start({ interviewId: next.interviewId, sessionToken: next.token });
      await onboarding.result(next.interviewId);
      return warnings()
        .map(({ msg }) => msg.split(' ')[0])
        .sort();
    };
    await expect.poll(named).toEqual(['Encryption', 'INCODE_API_KEY_FILE']);
    writeFileSync(encryptionKeys, `one:${ENCRYPTION_KEY}\n`);

    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(0);
    const secrets = [RIGHT, WRONG, ENCRYPTION_KEY, waiting.token, later.token, last.token, 'two keys'];
    expect(secrets.filter((secret) => output().includes(secret))).toEqual([]);
  });
});

describe('a worker with secrets in files', () => {
  it('writes no secret into a diagnostic report or the message of an uncaught exception', async () => {
    writeKey(RIGHT);
    // An error with the key in its message, its cause and its fields, which our code never throws.
    const preload = join(directory, 'throw.mjs');
    writeFileSync(
      preload,
      `process.once('SIGWINCH', () => {
        const cause = new Error('x-incode-hardware-id: some-token');
        throw Object.assign(new Error('Thrown with ${RIGHT}', { cause }), { headers: { key: '${RIGHT}' } });
      });`,
    );
    const report = join(directory, 'report.json');
    const { child, closed, output } = await startWorker('left-behind', {
      NODE_OPTIONS:
        `--import=${pathToFileURL(preload)} --report-on-signal --report-signal=SIGHUP ` +
        `--report-directory=${directory} --report-filename=report.json`,
    });
    // Not SIGUSR2, which is Node's default: it ends the SDK's workers.
    child.kill('SIGHUP');
    const text = () => (existsSync(report) ? readFileSync(report, 'utf8') : '');
    // The report contains the environment, which is why secrets belong in files. A report that is being written cannot be parsed.
    await expect.poll(() => JSON.parse(text()).environmentVariables.INCODE_API_KEY_FILE).toBe(keyFile);
    expect([RIGHT, ENCRYPTION_KEY].filter((secret) => text().includes(secret))).toEqual([]);

    child.kill('SIGWINCH');
    expect((await closed)[0]).toBe(1);
    expect(output()).toContain('Error: Thrown with [redacted]\n    at ');
    expect(output()).toContain('Caused by Error: x-incode-hardware-id: [redacted]');
    expect(output()).not.toContain(RIGHT);
    expect(output()).not.toContain('some-token');
  });
});
