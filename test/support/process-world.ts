import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import {
  type IncodeSimulator,
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startIncodeSimulator,
} from '../../src/testing/index.js';
import { startNewServer } from './new-server.js';
import { API_KEY } from './world.js';

/** A separate server and worker process, for tests that kill them. */
export interface ProcessWorld {
  directory: string;
  simulator: IncodeSimulator;
  client: Client;
  /** SIGTERM or SIGKILL of the worker. */
  stopWorker(): Promise<void>;
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  killServer(): Promise<void>;
  /** Starts the server again, with its data and at its port. */
  restartServer(): Promise<void>;
  /** The log of all workers. */
  log(): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Environment variables of a worker for people from images. Calls hang for longer than it takes to bring everybody to one. */
export function imageWorker(directory: string): Record<string, string> {
  return {
    INCODE_CONFIGURATION_ID: 'flow',
    INCODE_TIMEOUT: '30s',
    INCODE_PROCESS_POLL: '200ms',
    INCODE_DOCUMENT_RATE_LIMIT: '100',
    INCODE_FACE_RATE_LIMIT: '100',
    INCODE_IMAGE_ROOTS: directory,
  };
}

/**
 * @param env environment variables of the worker
 * @param prepare writes into the directory before the worker starts
 * @param options of the server
 */
export async function startProcessWorld(
  env: (directory: string) => Record<string, string> = () => ({}),
  prepare: (directory: string) => Promise<void> = async () => undefined,
  options: Pick<LocalTemporalServerOptions, 'timeSkipping'> = {},
): Promise<ProcessWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-processes-'));
  await prepare(directory);
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const serve = (port = 0) => startNewServer({ ...options, port, dataDir: directory });
  let server: LocalTemporalServer = await serve();
  const logFile = join(directory, 'worker.log');
  const work = () =>
    startWorkerProcess(
      {
        INCODE_BASE_URL: simulator.url,
        INCODE_API_KEY: API_KEY,
        INCODE_SETTLE_TIME: '1s',
        TEMPORAL_ADDRESS: server.address,
        ...env(directory),
      },
      logFile,
    );
  let worker: WorkerProcess = await work();
  const connection = await Connection.connect({ address: server.address });
  return {
    directory,
    simulator,
    client: new Client({ connection }),
    stopWorker: () => worker.stop(),
    killWorker: () => worker.kill(),
    startWorker: async () => {
      worker = await work();
    },
    killServer: () => server.kill(),
    restartServer: async () => {
      server = await serve(Number(server.address.split(':')[1]));
    },
    log: () => readFile(logFile, 'utf8'),
    async [Symbol.asyncDispose]() {
      await worker.stop();
      await connection.close();
      await server.stop();
      await simulator.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
