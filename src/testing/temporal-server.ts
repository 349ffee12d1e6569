import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/index.js';
import { defaultCacheDir, findTemporalBinary, type TemporalSource } from './temporal-binary.js';

export interface LocalTemporalServerOptions {
  /** 0 takes a free one. @default 0 */
  port?: number;
  /** Port of the Web UI; 0 takes a free one, `null` does without. @default null */
  uiPort?: number | null;
  /** @default "default" */
  namespace?: string;
  /** Keeps workflows in a file here, so that they survive the server, also its SIGKILL. @default in memory only */
  dataDir?: string;
  /** Skips the time of workflows that ask for it: months in milliseconds. @default false */
  timeSkipping?: boolean;
  /** Added to the server's dynamic configuration. */
  dynamicConfig?: Record<string, string>;
  /** Told about everything that may take longer than a second. */
  onProgress?: (message: string) => void;
  /** Where a downloaded server is kept. @default the user's cache directory */
  cacheDir?: string;
  /** Read for TEMPORAL_ADDRESS, TEMPORAL_CLI_PATH and PATH. @default process.env */
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

/** Starts a Temporal server on this machine, or uses the one that `TEMPORAL_ADDRESS` names. */
export async function startLocalTemporalServer(options: LocalTemporalServerOptions = {}): Promise<LocalTemporalServer> {
  const { namespace = 'default', env = process.env, onProgress = () => undefined } = options;
  if (env.TEMPORAL_ADDRESS) return existingServer(env.TEMPORAL_ADDRESS, env.TEMPORAL_NAMESPACE ?? namespace);

  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const binary = await findTemporalBinary({ env, cacheDir, onProgress });
  const port = options.port || (await freePort());
  const uiPort = options.uiPort === 0 ? await freePort() : (options.uiPort ?? null);
  const address = `127.0.0.1:${port}`;
  onProgress(`Starting the Temporal server (CLI ${binary.version}, from ${binary.source}) at ${address}`);
  const args = await serverArguments(options, { port, uiPort, namespace, cliVersion: binary.version });
  const server = launch(binary.path, args);
  try {
    const version = await Promise.race([prepare(address, namespace), server.failed]);
    return {
      address,
      namespace,
      uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
      version,
      source: binary.source,
      pid: server.child.pid ?? null,
      stop: () => server.end('SIGTERM'),
      kill: () => server.end('SIGKILL'),
    };
  } catch (error) {
    await server.end('SIGKILL');
    throw error;
  }
}

async function existingServer(address: string, namespace: string): Promise<LocalTemporalServer> {
  const nothing = async () => undefined;
  try {
    const version = await prepare(address, namespace, EXISTING_TIMEOUT_MS);
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
const EXISTING_TIMEOUT_MS = 5_000;

/** A cold start from a slow disk; 0.3 s are usual. */
const START_TIMEOUT_MS = 60_000;

interface Resolved {
  port: number;
  uiPort: number | null;
  namespace: string;
  cliVersion: string;
}

async function serverArguments(
  { dataDir, timeSkipping = false, dynamicConfig = {} }: LocalTemporalServerOptions,
  { port, uiPort, namespace, cliVersion }: Resolved,
): Promise<string[]> {
  const settings = { ...DYNAMIC_CONFIG, ...(timeSkipping ? TIME_SKIPPING : {}), ...dynamicConfig };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace],
    ...['--log-level', 'error', '--log-format', 'pretty'],
    ...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
    ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
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

interface Launched {
  child: ChildProcess;
  /** Rejects if it ends before it was told to. */
  failed: Promise<never>;
  end(signal: NodeJS.Signals): Promise<void>;
}

function launch(path: string, args: string[]): Launched {
  // In a group of its own, or Ctrl-C would stop it at once, under the workers that still end their work.
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const last: string[] = [];
  const remember = (text: Buffer) => {
    last.push(...text.toString().split('\n').filter(Boolean));
    last.splice(0, last.length - 10);
  };
  child.stdout?.on('data', remember);
  child.stderr?.on('data', remember);
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const closed = once(child, 'close').catch(() => undefined);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      reject(new Error(`The Temporal server ended with exit code ${code}:\n${last.join('\n')}`)),
    );
  });
  // It rejects at every end; only who waits for the start is to hear of it.
  failed.catch(() => undefined);
  return {
    child,
    failed,
    async end(signal) {
      process.removeListener('exit', killWithUs);
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await closed;
      clearTimeout(force);
    },
  };
}

/** It writes its database on the way out. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Waits until the server answers and has what the workflow relies on. The command line's search attributes are ignored for
 * a namespace that a kept database has already.
 *
 * @returns the server's version
 */
async function prepare(address: string, namespace: string, timeoutMs = START_TIMEOUT_MS): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await tryPrepare(address, namespace);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function tryPrepare(address: string, namespace: string): Promise<string> {
  const connection = await Connection.connect({ address, connectTimeout: '1s' });
  try {
    return await connection.withDeadline(Date.now() + 5_000, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => customAttributes[name] === undefined);
      // 2: INDEXED_VALUE_TYPE_KEYWORD
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, 2]));
      if (missing.length > 0) await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      return (await connection.workflowService.getSystemInfo({})).serverVersion;
    });
  } finally {
    await connection.close();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}
