import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contract/index.js';
import { channelArgsFor } from '../../temporal/address.js';
import { msToTs } from '../../temporal/sdk-internals.js';
import { defaultCacheDir, findTemporalBinary, type TemporalSource } from './binary.js';
import { freePort, startServerProcess } from './process.js';

export interface LocalTemporalServerOptions {
  /** 0 takes a free one. @default 0 */
  port?: number;
  /** Port of the Web UI; 0 takes a free one, `null` does without. @default null */
  uiPort?: number | null;
  /** @default "default" */
  namespace?: string;
  /** Keeps workflows in a file here, so that they survive the server, also its SIGKILL. @default in memory only */
  dataDir?: string;
  /** How long closed workflows are kept. @default 30 with `dataDir`, otherwise Temporal's own 1 */
  retentionDays?: number;
  /** Registered besides those of this package, as Keyword. @default none */
  searchAttributes?: readonly string[];
  /** Skips the time of workflows that ask for it: months in milliseconds. @default false */
  timeSkipping?: boolean;
  /** Added to the server's dynamic configuration. */
  dynamicConfig?: Record<string, string>;
  /** Told about everything that may take longer than a second. */
  onProgress?: (message: string) => void;
  /** Where a downloaded server is kept. @default the user's cache directory */
  cacheDir?: string;
  /** Read for TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH, PATH and the proxy of a download. @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
}

export interface LocalTemporalServer {
  /** Host and port. */
  readonly address: string;
  readonly namespace: string;
  /** `null` if it has none, or is not ours. */
  readonly uiUrl: string | null;
  /** Of the server, such as `1.32.0`. */
  readonly version: string;
  /** How the server was found. */
  readonly source: TemporalSource;
  /** `null` if it is not ours. */
  readonly pid: number | null;
  /** Stops it; does nothing to a server that is not ours. */
  stop(): Promise<void>;
  /** Stops it with SIGKILL, as in a power cut. */
  kill(): Promise<void>;
}

/**
 * Starts a Temporal server on this machine, or uses the one that `TEMPORAL_ADDRESS` names: then only `namespace` (unless
 * `TEMPORAL_NAMESPACE` is set), `searchAttributes` and `env` have a meaning. It ends with this process at the latest.
 *
 * @throws Error if there is no server and no way to get one, if the address does not answer, or a port is taken
 */
export async function startLocalTemporalServer(options: LocalTemporalServerOptions = {}): Promise<LocalTemporalServer> {
  const { namespace = 'default', env = process.env, onProgress = () => undefined } = options;
  const searchAttributes = [...Object.values(SEARCH_ATTRIBUTES), ...(options.searchAttributes ?? [])];
  if (env.TEMPORAL_ADDRESS) {
    return existingServer(env.TEMPORAL_ADDRESS, { namespace: env.TEMPORAL_NAMESPACE ?? namespace, searchAttributes });
  }
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const binary = await findTemporalBinary({ env, cacheDir, onProgress });
  const port = await freePort(options.port);
  const uiPort = typeof options.uiPort === 'number' ? await freePort(options.uiPort) : null;
  const address = `127.0.0.1:${port}`;
  onProgress(`Starting the Temporal server (CLI ${binary.version}, from ${binary.source}) at ${address}`);
  const args = await serverArguments(options, {
    port,
    uiPort,
    namespace,
    searchAttributes,
    cliVersion: binary.version,
  });
  const retentionDays = options.retentionDays ?? (options.dataDir ? 30 : undefined);
  const server = startServerProcess(binary.path, args);
  try {
    const needs = { namespace, searchAttributes, retentionDays };
    const version = await Promise.race([prepare(address, needs, START_TIMEOUT_MS), server.failed]);
    return {
      address,
      namespace,
      uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
      version,
      source: binary.source,
      pid: server.pid,
      stop: () => server.end('SIGTERM'),
      kill: () => server.end('SIGKILL'),
    };
  } catch (error) {
    await server.end('SIGKILL');
    throw error;
  }
}

async function existingServer(address: string, needs: Needs): Promise<LocalTemporalServer> {
  const { namespace } = needs;
  const nothing = async () => undefined;
  try {
    const version = await prepare(address, needs, EXISTING_TIMEOUT_MS);
    return {
      address,
      namespace,
      uiUrl: null,
      version,
      source: 'TEMPORAL_ADDRESS',
      pid: null,
      stop: nothing,
      kill: nothing,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Error(`TEMPORAL_ADDRESS names ${address}, where no server answers for namespace ${namespace}: ${why}`);
  }
}

/** A server that runs already answers within milliseconds; another network may need a moment. */
const EXISTING_TIMEOUT_MS = 3_000;

/** A cold start from a slow disk; 0.3 s are usual. */
const START_TIMEOUT_MS = 60_000;

interface Resolved {
  port: number;
  uiPort: number | null;
  namespace: string;
  searchAttributes: readonly string[];
  cliVersion: string;
}

async function serverArguments(
  { dataDir, timeSkipping = false, dynamicConfig = {} }: LocalTemporalServerOptions,
  { port, uiPort, namespace, searchAttributes, cliVersion }: Resolved,
): Promise<string[]> {
  const settings = { ...DYNAMIC_CONFIG, ...(timeSkipping ? TIME_SKIPPING : {}), ...dynamicConfig };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace],
    ...['--log-level', 'error', '--log-format', 'pretty'],
    ...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
    ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...Object.entries(settings).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...(dataDir ? await database(dataDir, cliVersion) : []),
  ];
}

const DYNAMIC_CONFIG = {
  // An idle dev server polls its queues 20 times a second otherwise, which makes every step of a workflow 40 ms slower.
  'history.transferProcessorMaxPollRPS': '1000',
  'history.timerProcessorMaxPollRPS': '1000',
  'history.visibilityProcessorMaxPollRPS': '1000',
  // Its limits are meant for a shared cluster.
  'frontend.namespaceRPS': '20000',
  'frontend.rps': '20000',
  'history.rps': '20000',
  'matching.rps': '20000',
  // Several partitions make a single worker miss tasks that wait in another one.
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

const TIME_SKIPPING = {
  'frontend.WorkflowTimeSkippingEnabled': 'true',
  // Timers are checked once a second otherwise, also when time is skipped.
  'history.timerProcessorMaxTimeShift': '"100ms"',
};

async function database(dataDir: string, cliVersion: string): Promise<string[]> {
  await mkdir(dataDir, { recursive: true });
  // A file is never migrated, so each version of the CLI has its own.
  const file = join(dataDir, `temporal-${cliVersion}.db`);
  return ['--db-filename', file, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'];
}

interface Needs {
  namespace: string;
  /** All of type Keyword. */
  searchAttributes: readonly string[];
  retentionDays?: number | undefined;
}

/**
 * Waits until the server answers and has what the workflows rely on. All of it is set through the API: the command line's
 * values are ignored for a namespace that a kept database has already.
 *
 * @returns the server's version
 */
async function prepare(address: string, needs: Needs, timeoutMs: number): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await tryPrepare(address, needs);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function tryPrepare(address: string, needs: Needs): Promise<string> {
  const { namespace, retentionDays } = needs;
  await reach(address);
  const connection = await Connection.connect({
    address,
    connectTimeout: '1s',
    channelArgs: channelArgsFor(address),
  });
  const { operatorService, workflowService } = connection;
  try {
    return await connection.withDeadline(Date.now() + 5_000, async () => {
      await workflowService.describeNamespace({ namespace });
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      const missing = needs.searchAttributes.filter((name) => customAttributes[name] === undefined);
      // 2: INDEXED_VALUE_TYPE_KEYWORD
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, 2]));
      if (missing.length > 0) await operatorService.addSearchAttributes({ namespace, searchAttributes });
      if (retentionDays !== undefined) {
        const workflowExecutionRetentionTtl = msToTs(retentionDays * 24 * 3600_000);
        await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
      }
      return (await workflowService.getSystemInfo({})).serverVersion;
    });
  } finally {
    await connection.close();
  }
}

/** gRPC waits a second before it tries a port again that nobody listened on: three times as long as a server needs to start. */
async function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233), timeout: 1_000 });
  socket.once('timeout', () => socket.destroy(new Error(`${address} does not answer`)));
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
