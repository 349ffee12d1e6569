import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { localWorkerEnvironment } from '../../dist/cli/local/environment.js';
import { startWorkerProcess } from '../../dist/cli/local/worker-process.js';
import { OnboardingClient } from '../../dist/client/index.js';
import { startIncodeSimulator, startLocalTemporalServer } from '../../dist/testing/index.js';
import { connectExisting, prepareNamespace, temporalVariables } from '../../scripts/cluster/existing.js';
import { say } from './report.js';

/** If it is set, `startServer` connects to this server and starts none. `pids` has the process ids of its parts, by name. */
let existing = null;

/** @param server `{source, env, pids}`: `env` has the variables that name it; `null` for one of the benchmark's own */
export function useServer(server) {
  existing = server;
}

export function hasExistingServer() {
  return existing !== null;
}

/** As `useServer`, with a cluster of `scripts/cluster`. */
export function useCluster({ env, pids: { worker, ...others } }) {
  // Not to be mistaken for our own worker.
  useServer({ source: 'cluster', env, pids: { ...others, 'worker node': worker } });
}

/**
 * Starts a Temporal server and connects a client. `stop` ends what was added to `stops`, and the server.
 * After `useServer` it uses that server with a new namespace and leaves it running, unless an option asks for a new server.
 *
 * @param options `onDisk`: it keeps its data in a file; otherwise in memory. `cli`: the Temporal CLI instead of the usual one.
 *   `partitions`: of each task queue; otherwise one, or those of the existing server
 */
export async function startServer({ onDisk = false, cli, partitions } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-bench-'));
  const stops = [() => rm(directory, { recursive: true, force: true })];
  const { server, connection } = await (existing && !onDisk && !cli && !partitions
    ? findServer(existing)
    : startLocalServer({ onDisk, cli, partitions, directory }));
  stops.push(
    () => server.kill(),
    () => connection.close(),
  );
  const client = new Client({ connection, namespace: server.namespace });
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  let stopping;
  return {
    server,
    directory,
    client,
    onboarding: new OnboardingClient({ client }),
    stops,
    // Whoever asks again waits too: a signal may come while it ends by itself.
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

async function startLocalServer({ onDisk, cli, partitions, directory }) {
  const { TEMPORAL_ADDRESS: _, ...env } = { ...process.env, ...(cli ? { TEMPORAL_CLI_PATH: cli } : {}) };
  const local = await startLocalTemporalServer({
    env,
    onProgress: say,
    ...(onDisk ? { dataDir: directory } : {}),
    ...(partitions ? { dynamicConfig: partitionsOf(partitions) } : {}),
  });
  const { address, namespace, version, source, pid } = local;
  const server = {
    ...{ address, namespace, version, source, pid },
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    pids: { server: pid },
    kill: () => local.kill(),
  };
  return { server, connection: await Connection.connect({ address }) };
}

function partitionsOf(count) {
  const names = ['matching.numTaskqueueReadPartitions', 'matching.numTaskqueueWritePartitions'];
  return Object.fromEntries(names.map((name) => [name, String(count)]));
}

async function findServer({ source, env, pids }) {
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const variables = { ...temporalVariables(env), TEMPORAL_NAMESPACE: namespace };
  const connection = await connectExisting(variables);
  const version = await prepareNamespace(connection, namespace);
  const { address } = connection.options;
  const server = { address, namespace, version, source, pid: null, env: variables, pids, kill: async () => undefined };
  return { server, connection };
}

/** The environment of a worker that uses this server and a simulated Incode. */
export function workerEnvironment(server, simulator) {
  return { ...localWorkerEnvironment(server, simulator), ...server.env };
}

/** A simulated Incode in this process, and a worker in one of its own. */
export async function startIncodeAndWorker(world, { simulator: options, env } = {}) {
  const simulator = await startIncodeSimulator(options);
  world.stops.push(() => simulator.close());
  return { simulator, worker: await startWorker(world, simulator, { env }) };
}

/** @param options `name`: of its log */
export async function startWorker({ server, directory, stops }, simulator, { env, name = 'worker' } = {}) {
  const environment = { ...workerEnvironment(server, simulator), ...env };
  const worker = await startWorkerProcess(environment, join(directory, `${name}.log`));
  stops.push(() => worker.stop());
  return worker;
}

/** `temporal-incode webhooks` as a process of its own, which takes deliveries with this header secret. */
export async function startReceiver({ server, directory, stops }, secret, more = {}) {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const log = openSync(join(directory, 'webhooks.log'), 'a');
  const env = {
    ...server.env,
    WEBHOOK_PORT: String(await freePort()),
    WEBHOOK_HEADER_SECRETS: secret,
    ...more,
  };
  const child = spawn(process.execPath, [main, 'webhooks', '--json'], { env, stdio: ['ignore', 'pipe', log] });
  stops.push(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const [line] = await once(child.stdout, 'data');
  return { pid: child.pid, url: JSON.parse(String(line)).delivery };
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Does something for each item, so many at a time. */
export async function forEach(items, atATime, work) {
  const left = items.entries();
  const lane = async () => {
    for (const [i, item] of left) await work(item, i);
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}

export async function until(isDone, what, timeoutMs = 300_000, everyMs = 200) {
  const deadline = Date.now() + timeoutMs;
  while (!(await isDone())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1_000} s`);
    await sleep(everyMs);
  }
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
