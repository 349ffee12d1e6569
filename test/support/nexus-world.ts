import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { encryptedDataConverter, keyRing } from 'temporal-incode/codec';
import { createWorker, type OnboardingWorker, readConfig } from 'temporal-incode/worker';
import { inject } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import type { onboardingService } from '../../src/nexus/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { until } from '../support/lifecycle.js';
import { API_KEY, workerEnvironment } from '../support/world.js';
import type { Answered, call, openAccount } from './nexus-callers.js';

export type Operation = keyof (typeof onboardingService)['operations'];

/** A worker that serves the Nexus service, and another team's worker with its workflows in a separate namespace. */
export interface NexusWorld {
  simulator: IncodeSimulator;
  /** A client for the sessions' namespace. */
  onboarding: OnboardingClient;
  /** Starts a workflow that calls the operation. */
  begin(operation: Operation, input: unknown): Promise<WorkflowHandle<typeof call>>;
  /** Starts a workflow that calls the operation, and returns its result. */
  ask(operation: Operation, input: unknown): Promise<Answered>;
  openAccount(...args: Parameters<typeof openAccount>): Promise<string>;
  /** Stops the worker that serves Nexus, and starts another one. */
  restartWorker(): Promise<void>;
  close(): Promise<void>;
}

interface NexusWorldOptions {
  /** @default the endpoint of the example in the docs */
  endpoint?: string;
  /** Encryption keys of the sessions' namespace. @default none */
  encryptionKeys?: string;
  /** Encryption keys of the callers' namespace. @default none */
  callersKeys?: string;
}

export async function startNexusWorld({
  endpoint: name = 'incode-onboarding',
  encryptionKeys,
  callersKeys,
}: NexusWorldOptions = {}): Promise<NexusWorld> {
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  const id = randomUUID();
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const connection = await Connection.connect({ address });
  const config = readConfig({
    ...workerEnvironment(simulator.url, `single-${id}`),
    // Some tests start a failed session again.
    INCODE_SETTLE_TIME: '400ms',
    WORKER_NEXUS_TASK_QUEUE: `nexus-${id}`,
    WORKER_SHUTDOWN_GRACE: '1s',
    ...(encryptionKeys ? { TEMPORAL_INCODE_ENCRYPTION_KEYS: encryptionKeys } : {}),
  });
  const start = async () => running(await createWorker(config));
  let worker = await start();
  const endpoint = await createEndpoint(connection, name, { namespace, taskQueue: `nexus-${id}` });
  const callers = await startCallers(connection, address, converterOf(callersKeys));
  const begin: NexusWorld['begin'] = (operation, input) =>
    callers.client.workflow.start<typeof call>('call', {
      taskQueue: CALLERS,
      workflowId: randomUUID(),
      args: [name, operation, input],
    });
  return {
    simulator,
    onboarding: new OnboardingClient({
      client: new Client({ connection, namespace, ...converterOf(encryptionKeys) }),
      taskQueue: config.taskQueue,
    }),
    begin,
    ask: async (operation, input) => (await begin(operation, input)).result(),
    openAccount: (...args) =>
      callers.client.workflow.execute<typeof openAccount>('openAccount', {
        taskQueue: CALLERS,
        workflowId: randomUUID(),
        args,
      }),
    async restartWorker() {
      await worker.stop();
      worker = await start();
    },
    async close() {
      await callers.stop();
      await worker.stop();
      await connection.operatorService.deleteNexusEndpoint(endpoint);
      await connection.close();
      await simulator.close();
    },
  };
}

function running(worker: OnboardingWorker): { stop(): Promise<void> } {
  const ended = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await ended;
    },
  };
}

/** Deletes an endpoint of an earlier run first, because its worker is gone. */
async function createEndpoint(
  { operatorService }: Connection,
  name: string,
  worker: { namespace: string; taskQueue: string },
) {
  const { endpoints } = await operatorService.listNexusEndpoints({ name });
  for (const endpoint of endpoints) await operatorService.deleteNexusEndpoint(idAndVersion(endpoint));
  const { endpoint } = await operatorService.createNexusEndpoint({ spec: { name, target: { worker } } });
  return idAndVersion(endpoint ?? {});
}

function idAndVersion({ id = '', version = null }: Pick<IEndpoint, 'id' | 'version'>) {
  return { id, version };
}

type IEndpoint = Awaited<ReturnType<Connection['operatorService']['listNexusEndpoints']>>['endpoints'][number];

const CALLERS = 'callers';

function converterOf(keys: string | undefined) {
  return keys ? { dataConverter: encryptedDataConverter(keyRing(keys)) } : {};
}

async function startCallers(connection: Connection, address: string, converter: ReturnType<typeof converterOf>) {
  const namespace = `callers-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const isKnown = () =>
    connection.workflowService.describeNamespace({ namespace }).then(
      () => true,
      () => false,
    );
  await until(isKnown, true);
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: CALLERS,
    ...converter,
    workflowsPath: fileURLToPath(new URL('./nexus-callers.ts', import.meta.url)),
  });
  const ended = worker.run();
  return {
    client: new Client({ connection, namespace, ...converter }),
    async stop() {
      worker.shutdown();
      await ended;
      await native.close();
    },
  };
}
