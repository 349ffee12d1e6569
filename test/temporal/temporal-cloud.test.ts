import { randomBytes, randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { completeBatch, connectOnboardingClient, TemporalUnavailableError } from 'temporal-incode/client';
import { createWorker, MissingSearchAttributesError, readConfig } from 'temporal-incode/worker';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { OnboardingInput } from '../../src/contract/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { run } from '../support/cli.js';
import { CLOUD_SERVER_NAME, type CloudEndpointOptions, startCloudEndpoint } from '../support/cloud-endpoint.js';
import { tlsFile } from '../support/grpc-endpoint.js';
import { API_KEY } from '../support/world.js';

// A real server behind an endpoint that refuses what Temporal Cloud refuses. Only its TLS server name says that it is Temporal Cloud.

const CLOUD_KEY = 'api-key-of-temporal-cloud';
const ATTRIBUTES = ['IncodeStage', 'IncodeOutcome', 'IncodeBatchId'];
const DAY_SECONDS = 86_400;

let direct: Connection;
beforeAll(async () => {
  direct = await Connection.connect({ address: inject('temporalAddress') });
});
afterAll(() => direct.close());
afterEach(() => void vi.unstubAllEnvs());

/** @returns the name of a namespace that the owner of the account has created */
async function newNamespace(attributes: string[], days: number): Promise<string> {
  const namespace = `acme-${randomBytes(4).toString('hex')}.a1b2c`;
  const { workflowService, operatorService } = direct;
  const workflowExecutionRetentionPeriod = { seconds: (days * DAY_SECONDS) as never };
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  const types = () =>
    operatorService.listSearchAttributes({ namespace }).then(
      ({ customAttributes }) => Object.keys(customAttributes),
      () => null,
    );
  await expect.poll(types).not.toBeNull();
  if (attributes.length > 0) {
    const searchAttributes = Object.fromEntries(attributes.map((name) => [name, 2]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
    await expect.poll(types).toEqual(expect.arrayContaining(attributes));
  }
  return namespace;
}

async function cloud(
  namespace: string,
  options: Partial<CloudEndpointOptions> = {},
): Promise<Awaited<ReturnType<typeof startCloudEndpoint>> & { env: Record<string, string> }> {
  const endpoint = await startCloudEndpoint(inject('temporalAddress'), { namespace, apiKey: CLOUD_KEY, ...options });
  return Object.assign(endpoint, {
    env: {
      TEMPORAL_ADDRESS: endpoint.address,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_API_KEY: CLOUD_KEY,
      TEMPORAL_TLS_SERVER_NAME: CLOUD_SERVER_NAME,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: tlsFile('cloud-ca.pem'),
    },
  });
}

const addCommand = (namespace: string, names: string[]) =>
  `tcld namespace search-attributes add --namespace ${namespace} ${names.map((name) => `--search-attribute ${name}=Keyword`).join(' ')}`;

describe('a namespace of Temporal Cloud without search attributes', () => {
  it.each([7, 12] as const)(
    'setup and doctor print the commands of tcld if the operator API answers %i',
    async (code) => {
      const namespace = await newNamespace(['IncodeStage'], 1);
      await using endpoint = await cloud(namespace, { operatorCode: code });
      const add = addCommand(namespace, ['IncodeOutcome', 'IncodeBatchId']);
      const retention = `tcld namespace retention set --namespace ${namespace} --retention-days 30`;
      const found = async () => {
        const ran = await run(['setup', '--json'], '', endpoint.env);
        return { code: ran.code, ...JSON.parse(ran.stdout) };
      };
      await expect
        .poll(found)
        .toMatchObject({ code: 1, registered: [], present: ['IncodeStage'], todo: [add, retention] });
      const doctored = await run(['doctor', '--json'], '', endpoint.env);
      const { checks } = JSON.parse(doctored.stdout) as { checks: { name: string; todo?: string; message: string }[] };
      const byName = Object.fromEntries(checks.map((check) => [check.name, check]));
      expect(byName.server?.message).toContain('Temporal Cloud');
      expect(byName['search attributes']?.todo).toBe(add);
      expect(byName.retention?.todo).toBe(retention);
    },
  );

  it('setup changes no retention and prints the command of tcld, for at most 90 days', async () => {
    const namespace = await newNamespace(ATTRIBUTES, 7);
    await using endpoint = await cloud(namespace);
    const ran = await run(['setup', '--retention', '60d', '--json'], '', endpoint.env);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      retentionDays: 7,
      todo: [`tcld namespace retention set --namespace ${namespace} --retention-days 60`],
    });
    const refused = await run(['setup', '--retention', '91d'], '', endpoint.env);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Temporal Cloud keeps workflows for at most 90 days');
  });

  it('a worker refuses to start and names the command of tcld', async () => {
    const namespace = await newNamespace([], 7);
    await using endpoint = await cloud(namespace);
    const config = readConfig({ ...endpoint.env, INCODE_BASE_URL: 'http://127.0.0.1:9', INCODE_API_KEY: API_KEY });
    const error = await createWorker(config).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(MissingSearchAttributesError);
    expect(error.message).toContain(addCommand(namespace, ATTRIBUTES));
    expect(error.message).not.toContain('temporal operator');
  });
});

it('a wrong API key is reported as refused credentials', async () => {
  const namespace = await newNamespace(ATTRIBUTES, 7);
  await using endpoint = await cloud(namespace);
  for (const [name, value] of Object.entries(endpoint.env)) vi.stubEnv(name, value);
  vi.stubEnv('TEMPORAL_API_KEY', 'another-key');
  const error = await connectOnboardingClient().catch((thrown) => thrown);
  expect(error).toBeInstanceOf(TemporalUnavailableError);
  expect(error).toMatchObject({ problem: 'refused', retryable: false });
});

it('sessions and batches complete although each third action exceeds the rate limit, in messages below 2 MB', async () => {
  const namespace = await newNamespace(ATTRIBUTES, 7);
  const methods = [
    ...['StartWorkflowExecution', 'ExecuteMultiOperation', 'UpdateWorkflowExecution', 'SignalWorkflowExecution'],
    ...['SignalWithStartWorkflowExecution', 'RespondWorkflowTaskCompleted', 'RespondActivityTaskCompleted'],
    ...['RecordActivityTaskHeartbeat', 'CountWorkflowExecutions', 'GetWorkflowExecutionHistory', 'QueryWorkflow'],
  ];
  await using endpoint = await cloud(namespace, { rateLimited: { methods, every: 3 } });
  for (const [name, value] of Object.entries(endpoint.env)) vi.stubEnv(name, value);
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const queues = { WORKER_TASK_QUEUE: `cloud-${randomUUID()}`, WORKER_BULK_TASK_QUEUE: `cloud-bulk-${randomUUID()}` };
  const worker = await createWorker(
    readConfig({ ...endpoint.env, ...queues, INCODE_BASE_URL: simulator.url, INCODE_API_KEY: API_KEY }),
  );
  const running = worker.run();
  const onboarding = await connectOnboardingClient({
    taskQueue: queues.WORKER_TASK_QUEUE,
    bulkTaskQueue: queues.WORKER_BULK_TASK_QUEUE,
  });
  try {
    const opened = await Promise.all(Array.from({ length: 4 }, () => simulator.openSession()));
    const [one, two, ...rest] = opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token })) as [
      OnboardingInput,
      OnboardingInput,
      ...OnboardingInput[],
    ];
    await onboarding.start(one);
    expect(await onboarding.result(one.interviewId)).toMatchObject({ outcome: 'approved' });
    expect(await onboarding.finish(two)).toMatchObject({ action: 'approved' });
    const rows = [];
    // Tokens of this size fill several messages.
    const sessions = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const { interviewId, token } = await simulator.openSession();
        return { interviewId, sessionToken: token, flowId: 'f'.repeat(200) };
      }),
    );
    for await (const row of completeBatch(onboarding, [...rest, ...sessions], { batchId: randomUUID() }))
      rows.push(row);
    expect(rows.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 502 }, () => 'approved'));
    expect([...endpoint.refused.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5);
    expect(endpoint.largestMessage).toBeLessThan(2 * 1024 * 1024);
  } finally {
    await onboarding.close();
    worker.shutdown();
    await running;
    await simulator.close();
  }
});
