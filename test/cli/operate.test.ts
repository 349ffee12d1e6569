import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkRetention, DAY_MS } from '../../src/cli/shared/namespace.js';
import { createWebhookReceiver } from '../../src/webhook/index.js';
import { searchAttributesOf } from '../../src/worker/search-attributes.js';
import { startCaptureWorld } from '../support/capture-world.js';
import { type Ran, run } from '../support/cli.js';
import { serve } from '../support/http.js';
import { type RefusingProxy, startRefusingProxy } from '../support/refusing-proxy.js';
import { API_KEY, startTestWorld, type TestWorld } from '../support/world.js';

const address = inject('temporalAddress');
// Each call starts a program, which takes seconds on a loaded machine.

let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address });
});
afterAll(() => connection.close());

let namespaces = 0;

/** @returns the namespace's name */
async function newNamespace(searchAttributes: Record<string, number> = {}): Promise<string> {
  namespaces += 1;
  const namespace = `operate-${process.pid}-${Date.now()}-${namespaces}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const types = () =>
    connection.operatorService.listSearchAttributes({ namespace }).then(
      ({ customAttributes }) => customAttributes,
      () => null,
    );
  await expect.poll(types).not.toBeNull();
  if (Object.keys(searchAttributes).length > 0) {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    await expect.poll(types).toMatchObject(searchAttributes);
  }
  return namespace;
}

const setup = (...args: string[]): Promise<Ran> => run(['setup', '--address', address, ...args]);

describe('the command setup', () => {
  it('registers the search attributes once and warns about a short retention', async () => {
    const namespace = await newNamespace();
    const first = await setup('--namespace', namespace);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^registered +IncodeStage, IncodeOutcome, IncodeBatchId$/m);
    expect(first.stdout).toMatch(/^retention +1 day$/m);
    expect(first.stderr).toContain('gone after 1 day');
    const server = `--address ${address} --namespace ${namespace}`;
    expect(first.stderr).toContain(`temporal-incode setup ${server} --retention 30d`);
    await expect
      .poll(() => searchAttributesOf(connection, namespace))
      .toEqual({ present: ['IncodeStage', 'IncodeOutcome', 'IncodeBatchId'], missing: [], wrong: [] });
    const second = await setup('--namespace', namespace, '--retention', '30d', '--json');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(second.stdout)).toEqual({
      namespace,
      registered: [],
      present: ['IncodeStage', 'IncodeOutcome', 'IncodeBatchId'],
      retentionDays: 30,
      todo: [],
    });
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
  });

  it('registers only what is missing', async () => {
    const namespace = await newNamespace({ IncodeOutcome: 2 });
    const { stdout } = await setup('--namespace', namespace);
    expect(stdout).toMatch(/^registered +IncodeStage, IncodeBatchId$/m);
    expect(stdout).toMatch(/^there already +IncodeOutcome$/m);
  });

  it('refuses a search attribute of another type and says how to remove it', async () => {
    // 1: text
    const namespace = await newNamespace({ IncodeStage: 1 });
    const { code, stderr } = await setup('--namespace', namespace);
    expect(code).toBe(1);
    const server = `--address ${address} --namespace ${namespace}`;
    expect(stderr).toContain(`temporal operator search-attribute remove --name IncodeStage ${server}`);
  });

  it('exits with 2 for an unknown namespace and says how to create it', async () => {
    const { code, stderr } = await setup('--namespace', 'bogus');
    expect(code).toBe(2);
    expect(stderr).toContain('temporal operator namespace create --namespace bogus --retention 30d');
  });

  it('asks before it lowers the retention, and needs --yes without a terminal', async () => {
    const namespace = await newNamespace();
    expect((await setup('--namespace', namespace, '--retention', '30d')).code).toBe(0);
    const refused = await setup('--namespace', namespace, '--retention', '2d');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Lower the retention from 30 days to 2 days?');
    expect(refused.stderr).toContain('Add --yes');
    const lowered = await setup('--namespace', namespace, '--retention', '2d', '--yes', '--json');
    expect(JSON.parse(lowered.stdout)).toMatchObject({ retentionDays: 2 });
  });

  it.each([
    ['a week or so', '--retention must be a duration'],
    ['1h', '--retention must be at least 1 day'],
  ])('exits with 2 for --retention %j', async (retention, why) => {
    const { code, stderr } = await setup('--retention', retention);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});

describe('setup without access to the operator API, as on Temporal Cloud', () => {
  let proxy: RefusingProxy;
  beforeAll(async () => {
    proxy = await startRefusingProxy(address, 'temporal.api.operatorservice.v1.OperatorService');
  });
  afterAll(() => proxy.close());

  it('finds registered attributes by queries, prints the command for the others and exits with 1', async () => {
    const namespace = await newNamespace({ IncodeStage: 2, IncodeBatchId: 2 });
    const args = ['setup', '--address', proxy.address, '--namespace', namespace, '--json'];
    const server = `--address ${proxy.address} --namespace ${namespace}`;
    const found = async () => {
      const { code, stdout } = await run(args);
      return { code, ...JSON.parse(stdout) };
    };
    await expect.poll(found).toMatchObject({
      code: 1,
      registered: [],
      present: ['IncodeStage', 'IncodeBatchId'],
      todo: [
        `temporal operator search-attribute create --name IncodeOutcome --type Keyword ${server}`,
        `temporal-incode setup ${server} --retention 30d`,
      ],
    });
  });

  it('has nothing to do if everything is registered', async () => {
    const { code, stdout } = await run(['setup', '--address', proxy.address]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^there already +IncodeStage, IncodeOutcome, IncodeBatchId$/m);
  });

  it('refuses a retention above 90 days only on Temporal Cloud', () => {
    const cloud = { options: { address: 'acme.a1b2c.tmprl.cloud:7233' } };
    const own = { options: { address: 'temporal.example.com:7233' } };
    expect(() => checkRetention(91 * DAY_MS, cloud)).toThrow('Temporal Cloud keeps workflows for at most 90 days');
    expect(() => checkRetention(90 * DAY_MS, cloud)).not.toThrow();
    expect(() => checkRetention(91 * DAY_MS, own)).not.toThrow();
  });
});

interface Doctored {
  ok: boolean;
  checks: { name: string; status: string; message: string; todo?: string }[];
}

describe('the command doctor', () => {
  let world: TestWorld;
  let queues: string[];
  beforeAll(async () => {
    world = await startTestWorld();
    queues = ['--address', address, '--task-queue', world.taskQueue, '--bulk-task-queue', world.taskQueue];
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const incode = () => ({ INCODE_BASE_URL: world.simulator.url, INCODE_API_KEY: API_KEY });
  /** An empty variable counts as not set. */
  const NO_INCODE = { INCODE_BASE_URL: '', INCODE_API_KEY: '' };

  async function doctor(args: string[], env: Record<string, string> = NO_INCODE) {
    const ran = await run(['doctor', ...args, '--json'], '', env);
    const { ok, checks } = JSON.parse(ran.stdout) as Doctored;
    const found = Object.fromEntries(checks.map(({ name, ...check }) => [name, check]));
    expect(ok).toBe(ran.code === 0);
    return { ...ran, found };
  }

  it('reports that everything is in order', async () => {
    // Both workers have polled by then.
    await expect.poll(async () => (await doctor(queues)).found['bulk workers']?.status).toBe('ok');
    const { code, found } = await doctor(queues, incode());
    expect(code).toBe(0);
    expect(found).toMatchObject({
      server: { status: 'ok', message: expect.stringContaining(address) },
      namespace: { status: 'ok', message: 'default' },
      'search attributes': { status: 'ok' },
      // The test server's retention is a day; another server's may be longer.
      retention: { status: expect.stringMatching(/^(ok|warning)$/) },
      workers: { status: 'ok', message: expect.stringContaining(`${process.pid}@`) },
      'bulk workers': { status: 'ok', message: expect.stringContaining(world.taskQueue) },
      Incode: { status: 'ok' },
      clock: { status: 'ok' },
      'executive token': { status: 'skipped' },
    });
    const people = await run(['doctor', ...queues], '', incode());
    expect(people.code).toBe(0);
    expect(people.stdout).toMatch(/^ok {7}Incode/m);
    expect(people.stdout).toMatch(/^(0 failed, 1 warning|Nothing is wrong in what was checked); 1 check skipped\.$/m);
  });

  it('looks at the task queues that the environment of the worker names, and says so', async () => {
    const env = { ...NO_INCODE, WORKER_TASK_QUEUE: world.taskQueue, WORKER_BULK_TASK_QUEUE: 'bulk-of-nobody' };
    const { found } = await doctor(['--address', address], env);
    expect(found).toMatchObject({
      workers: { status: 'ok', message: expect.stringContaining(`${world.taskQueue} (WORKER_TASK_QUEUE): 1`) },
      'bulk workers': {
        status: 'failed',
        message: expect.stringContaining('bulk-of-nobody (WORKER_BULK_TASK_QUEUE): no worker has polled'),
      },
    });
    const named = await doctor(['--address', address, '--task-queue', 'queue-of-nobody'], env);
    expect(named.found.workers).toMatchObject({ message: expect.stringMatching(/^queue-of-nobody: no worker/) });
  });

  it('names an image directory that this machine cannot read', async () => {
    const env = { ...NO_INCODE, INCODE_IMAGE_ROOTS: '/no/such/directory' };
    const { found } = await doctor(['--address', address], env);
    expect(found['image directories']).toMatchObject({
      status: 'failed',
      message: '/no/such/directory does not exist',
    });
  });

  it('checks the workers for images and their rate limits where images are allowed', async () => {
    await using images = await startCaptureWorld({
      worker: { INCODE_DOCUMENT_RATE_LIMIT: '0.3', INCODE_FACE_RATE_LIMIT: '4' },
    });
    const asked = async (taskQueue: string, env: Record<string, string>) =>
      (await doctor(['--address', address, '--task-queue', taskQueue], { ...NO_INCODE, ...env })).found[
        'image workers'
      ];
    const limits = { INCODE_DOCUMENT_RATE_LIMIT: '0.3', INCODE_FACE_RATE_LIMIT: '4' };
    const allowed = { INCODE_IMAGE_ROOTS: images.directory };
    await expect.poll(() => asked(images.taskQueue, { ...limits, ...allowed })).toMatchObject({ status: 'ok' });
    expect(await asked(images.taskQueue, allowed)).toEqual({
      status: 'warning',
      message: expect.stringMatching(
        /-documents: 0\.3\/s, \S+-fronts: 0\.3\/s, \S+-backs: 0\.3\/s, \S+-process-id: 0\.3\/s, \S+-faces: 4\/s, \S+-process-face: 4\/s; INCODE_DOCUMENT_RATE_LIMIT is 1 here, INCODE_FACE_RATE_LIMIT is 1 here$/,
      ),
      todo: 'Set the same rate limits everywhere, and restart the workers',
    });
    expect(await asked('nobody', allowed)).toMatchObject({
      status: 'failed',
      message: 'nobody-documents: no worker has polled for activities within the last two minutes',
    });
    expect(await asked(images.taskQueue, { INCODE_FACE_RATE_LIMIT: 'fast' })).toMatchObject({
      status: 'failed',
      message: 'INCODE_FACE_RATE_LIMIT must be a number from 0.1 to 1000, not "fast"',
    });
    expect(await asked(images.taskQueue, limits)).toBeUndefined();
  });

  it('names the variable of an empty or deleted secret file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-doctor-'));
    const file = join(directory, 'secrets');
    await writeFile(file, 'a-secret-of-the-receiver');
    const env = { ...NO_INCODE, WEBHOOK_HEADER_SECRETS_FILE: file };
    const state = async () => (await doctor(queues, env)).found['secret files'];
    expect(await state()).toEqual({ status: 'ok', message: 'WEBHOOK_HEADER_SECRETS_FILE' });
    await writeFile(file, '\n');
    expect(await state()).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/_FILE names a file that is empty$/),
    });
    await rm(directory, { recursive: true });
    expect(await state()).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('cannot be read (ENOENT)'),
    });
  });

  it('affects no session at Incode', async () => {
    const { interviewId } = await world.simulator.openSession();
    const before = world.simulator.calls.length;
    await doctor(queues, incode());
    expect(world.simulator.calls.slice(before)).toMatchObject([{ operation: 'onboardingStatus', httpStatus: 401 }]);
    expect(world.simulator.effects(interviewId)).toMatchObject({ finished: 0 });
  });

  it('reports whether the executive user is accepted, without its password', async () => {
    const login = { INCODE_EXECUTIVE_EMAIL: 'kyc@example.com', INCODE_EXECUTIVE_PASSWORD: 'password-of-the-test' };
    const env = { ...incode(), ...login };
    expect((await doctor(queues, env)).found['executive token']).toEqual({ status: 'ok', message: 'is accepted' });
    world.simulator.fault({ operation: 'logIn', kind: 'status', status: 401 });
    const { code, stdout, found } = await doctor(queues, env);
    expect(code).toBe(1);
    expect(found['executive token']).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('answered 401 to the log-in'),
      todo: expect.stringContaining('INCODE_EXECUTIVE_EMAIL'),
    });
    expect(stdout).not.toContain('password-of-the-test');
    world.simulator.clearFaults();
    const given = { ...incode(), INCODE_EXECUTIVE_TOKEN: 'no-token-of-incode' };
    expect((await doctor(queues, given)).found['executive token']).toMatchObject({ status: 'failed' });
  });

  it('reports every failure', async () => {
    const namespace = await newNamespace();
    const server = `--address ${address} --namespace ${namespace}`;
    const nobody = ['--address', address, '--namespace', namespace, '--task-queue', 'nobody-works-here'];
    const { code, stdout, found } = await doctor(nobody, { ...incode(), INCODE_API_KEY: 'wrong-key-of-the-test' });
    expect(code).toBe(1);
    expect(found).toMatchObject({
      server: { status: 'ok' },
      'search attributes': { status: 'failed', todo: `temporal-incode setup ${server}` },
      retention: { status: 'warning', todo: `temporal-incode setup ${server} --retention 30d` },
      workers: { status: 'failed', message: expect.stringContaining('nobody-works-here') },
      'bulk workers': { status: 'failed' },
      Incode: { status: 'failed', todo: expect.stringContaining('INCODE_API_KEY') },
    });
    expect(stdout).not.toContain('wrong-key-of-the-test');
  });

  it('warns that workers would not start with a remote server and without keys', async () => {
    // The same server, under an address that does not look like loopback.
    const elsewhere = ['--address', address.replace(/^[^:]+/, '0.0.0.0'), ...queues.slice(2)];
    const { code, found } = await doctor(elsewhere, incode());
    expect(found.encryption).toMatchObject({ status: 'warning', message: expect.stringContaining('no keys') });
    expect(code).toBe(0);
    const allowed = { ...incode(), TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true' };
    expect((await doctor(elsewhere, allowed)).found.encryption).toMatchObject({ status: 'ok' });
    const keys = { ...incode(), TEMPORAL_INCODE_ENCRYPTION_KEYS: `one:${randomBytes(32).toString('base64')}` };
    expect((await doctor(elsewhere, keys)).found.encryption).toMatchObject({
      status: 'ok',
      message: 'keys are set here',
    });
  });

  it('checks Incode even without a server', async () => {
    const { code, found } = await doctor(['--address', '127.0.0.1:1'], incode());
    expect(code).toBe(1);
    expect(found).toMatchObject({
      server: { status: 'failed', message: expect.stringContaining('Nothing is listening at 127.0.0.1:1.') },
      namespace: { status: 'skipped' },
      workers: { status: 'skipped' },
      Incode: { status: 'ok' },
    });
  });

  it('names checks that are skipped for the same cause once, in lines that fit 80 columns, and counts them', async () => {
    const { stdout } = await run(['doctor', '--address', '127.0.0.1:1'], '', incode());
    expect(stdout).toMatch(/^skipped {2}encryption, namespace, search attributes,\n {9}\w.*\n {26}needs the server$/m);
    expect(stdout).toMatch(/^1 failed, 0 warnings; \d+ checks skipped\.$/m);
  });

  it.each<[string, { kind: 'status'; status: number; body?: 'html'; headers?: Record<string, string> }, string]>([
    ['a redirect', { kind: 'status', status: 302, headers: { location: 'https://example.com' } }, 'failed'],
    ['an outage', { kind: 'status', status: 503 }, 'warning'],
    ['a missing page', { kind: 'status', status: 404, body: 'html' }, 'warning'],
    ['another server', { kind: 'status', status: 200, body: 'html' }, 'failed'],
  ])('reports %s', async (_, fault, status) => {
    world.simulator.fault({ operation: 'onboardingStatus', interviewId: 'temporal-incode-doctor', ...fault });
    expect((await doctor(queues, incode())).found.Incode).toMatchObject({ status, todo: expect.any(String) });
  });

  it('reports that Incode cannot be reached', async () => {
    const { found } = await doctor(queues, { ...incode(), INCODE_BASE_URL: 'http://127.0.0.1:1' });
    expect(found.Incode).toMatchObject({ status: 'failed', message: expect.stringContaining('could not be reached') });
  });

  it("reports the difference between this machine's clock and Incode's", async () => {
    const headers = { date: new Date(Date.now() - 3_600_000).toUTCString() };
    const fault = { kind: 'status', status: 401, headers } as const;
    world.simulator.fault({ operation: 'onboardingStatus', interviewId: 'temporal-incode-doctor', ...fault });
    const { found } = await doctor(queues, incode());
    expect(found.clock).toMatchObject({ status: 'warning', message: expect.stringMatching(/^36\d\d s ahead of/) });
  });

  it('skips Incode if it is not configured, and names invalid settings', async () => {
    expect((await doctor(queues)).found.Incode).toMatchObject({ status: 'skipped' });
    const { code, found } = await doctor(queues, { ...incode(), INCODE_TIMEOUT: 'long' });
    expect(code).toBe(1);
    expect(found.Incode).toMatchObject({ status: 'failed', message: expect.stringContaining('INCODE_TIMEOUT') });
  });

  it('asks a webhook receiver whether it is ready', async () => {
    let isReady = true;
    const receiver = createWebhookReceiver({
      header: { name: 'x-webhook-secret', secrets: ['a-secret-of-the-test-16'] },
      notify: async () => 'delivered',
      ready: async () => isReady,
    });
    const { url } = await receiver.listen();
    const asked = async (at: string) => (await doctor([...queues, '--webhook-url', at])).found['webhook receiver'];
    expect(await asked(url)).toMatchObject({ status: 'ok' });
    isReady = false;
    expect(await asked(`${url}/`)).toMatchObject({ status: 'failed', message: expect.stringContaining('Temporal') });
    await receiver.close();
    expect(await asked(url)).toMatchObject({ status: 'failed', message: 'does not answer' });
    await using other = await serve((_, response) => response.writeHead(404).end());
    expect(await asked(other.url)).toMatchObject({ status: 'failed', todo: 'Check --webhook-url' });
  });

  it('refuses a receiver address with credentials without showing them', async () => {
    const { code, stderr } = await run(['doctor', '--webhook-url', 'http://user:hidden@127.0.0.1:1']);
    expect(code).toBe(2);
    expect(stderr).toContain('--webhook-url must be');
    expect(stderr).not.toContain('hidden');
  });
});
