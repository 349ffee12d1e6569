import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contract/index.js';
import { defaultCacheDir, findTemporalBinary, type TemporalSource } from './binary.js';
import { type Needs, prepare } from './prepare.js';
import { freePort, startServerProcess } from './process.js';

export interface LocalTemporalServerOptions {
  /** Port on 127.0.0.1. 0 selects a free port. @default 0 */
  port?: number;
  /** Port of the Web UI. 0 selects a free port, `null` starts no Web UI. @default null */
  uiPort?: number | null;
  /** @default "default" */
  namespace?: string;
  /** Folder for a database file that keeps workflows across restarts, also after `kill()`. @default in memory only */
  dataDir?: string;
  /** How long closed workflows are kept, in days. @default 30 with `dataDir`, otherwise Temporal's default of 1 */
  retentionDays?: number;
  /** Your own search attributes of type Keyword. Those of this package are always registered. @default none */
  searchAttributes?: readonly string[];
  /** Lets `passTime` skip the time of a workflow. @default false */
  timeSkipping?: boolean;
  /** Added to the server's dynamic configuration. */
  dynamicConfig?: Record<string, string>;
  /** Called with a message before each step that may take longer than a second. */
  onProgress?: (message: string) => void;
  /** Folder for a downloaded server. @default the user's cache directory */
  cacheDir?: string;
  /** Source of TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH, PATH and the proxy of a download. @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
}

/** A Temporal server for tests and trials. */
export interface LocalTemporalServer {
  /** Host and port. */
  readonly address: string;
  readonly namespace: string;
  /** URL of the Web UI. `null` without `uiPort`, and for the server of `TEMPORAL_ADDRESS`. */
  readonly uiUrl: string | null;
  /** Version of the server, such as `1.32.0`. */
  readonly version: string;
  /** Where the server was found. */
  readonly source: TemporalSource;
  /** Process id. `null` for the server of `TEMPORAL_ADDRESS`. */
  readonly pid: number | null;
  /** Stops the server. Leaves the server of `TEMPORAL_ADDRESS` running. */
  stop(): Promise<void>;
  /** Stops the server with SIGKILL, like a power failure. */
  kill(): Promise<void>;
}

/**
 * Starts a Temporal server on this machine, which ends with this process at the latest. If `TEMPORAL_ADDRESS` is set, it uses that
 * server instead. Then only `namespace` (unless `TEMPORAL_NAMESPACE` is set), `searchAttributes` and `env` have an effect.
 *
 * @throws Error if no server can be found or downloaded, if the address does not answer, or if a port is taken
 * @example
 * ```ts
 * const server = await startLocalTemporalServer();
 * const connection = await Connection.connect({ address: server.address });
 * await server.stop();
 * ```
 */
export async function startLocalTemporalServer(options: LocalTemporalServerOptions = {}): Promise<LocalTemporalServer> {
  const { namespace = 'default', env = process.env, onProgress = () => undefined } = options;
  if (env.TEMPORAL_ADDRESS) {
    const needs = { namespace: env.TEMPORAL_NAMESPACE ?? namespace, searchAttributes: searchAttributesOf(options) };
    return existingServer(env.TEMPORAL_ADDRESS, needs);
  }
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const binary = await findTemporalBinary({ env, cacheDir, onProgress });
  for (let starts = 1; ; starts += 1) {
    try {
      return await startOwnServer(binary, options);
    } catch (error) {
      if (starts === MAX_STARTS || !isPortTaken(error)) throw error;
    }
  }
}

/** The Temporal CLI chooses more ports by itself. Another process may take a free port before the server does. */
const MAX_STARTS = 3;

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes('address already in use');
}

async function startOwnServer(
  binary: Awaited<ReturnType<typeof findTemporalBinary>>,
  options: LocalTemporalServerOptions,
): Promise<LocalTemporalServer> {
  const { namespace = 'default', onProgress = () => undefined } = options;
  const searchAttributes = searchAttributesOf(options);
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

function searchAttributesOf({ searchAttributes = [] }: LocalTemporalServerOptions): string[] {
  return [...Object.values(SEARCH_ATTRIBUTES), ...searchAttributes];
}

async function existingServer(address: string, needs: Needs): Promise<LocalTemporalServer> {
  const { namespace } = needs;
  const doNothing = async () => undefined;
  try {
    const version = await prepare(address, needs, EXISTING_TIMEOUT_MS);
    return {
      address,
      namespace,
      uiUrl: null,
      version,
      source: 'TEMPORAL_ADDRESS',
      pid: null,
      stop: doNothing,
      kill: doNothing,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Error(`No server answers for namespace ${namespace} at TEMPORAL_ADDRESS ${address}: ${why}`);
  }
}

/** A running server answers within milliseconds. The rest is for slow networks. */
const EXISTING_TIMEOUT_MS = 3_000;

/** A start usually takes 0.3 s. The rest is for a cold start from a slow disk. */
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
  // By default, an idle dev server polls its queues 20 times a second, which delays every step of a workflow by 40 ms.
  'history.transferProcessorMaxPollRPS': '1000',
  'history.timerProcessorMaxPollRPS': '1000',
  'history.visibilityProcessorMaxPollRPS': '1000',
  // The default limits are for a shared cluster.
  'frontend.namespaceRPS': '20000',
  'frontend.rps': '20000',
  'history.rps': '20000',
  'matching.rps': '20000',
  // With several partitions, a single worker can miss tasks that wait in another partition.
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
};

const TIME_SKIPPING = {
  'frontend.WorkflowTimeSkippingEnabled': 'true',
  // By default, timers are checked once a second, also while time is skipped.
  'history.timerProcessorMaxTimeShift': '"100ms"',
};

async function database(dataDir: string, cliVersion: string): Promise<string[]> {
  await mkdir(dataDir, { recursive: true });
  // The CLI never migrates a database, so each version gets its own file.
  const file = join(dataDir, `temporal-${cliVersion}.db`);
  return ['--db-filename', file, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'];
}
