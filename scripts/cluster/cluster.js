import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binariesIn, findBinaries } from './binaries.js';
import { createCertificates, SERVER_NAME } from './certificates.js';
import { Child } from './child.js';
import { nodeConfig } from './node-config.js';
import { nodePorts } from './ports.js';
import { Postgres } from './postgres.js';
import { untilReady } from './ready.js';

const run = promisify(execFile);

/** Two history nodes, so that shards can move between them. */
const NODES = {
  frontend: 'frontend',
  history1: 'history',
  history2: 'history',
  matching: 'matching',
  worker: 'worker',
};

/** Databases and their schemas in the server's source. */
const SCHEMAS = { temporal: 'postgresql/v12/temporal', temporal_visibility: 'postgresql/v12/visibility' };

/**
 * Starts a Temporal cluster on 127.0.0.1: PostgreSQL, and a process for each node. It ends with this process at the latest.
 *
 * @param {object} [options]
 * @param {boolean} [options.clientTls] whether clients need the cluster's certificates
 * @param {Record<string, unknown>} [options.dynamicConfig] the server's dynamic configuration, by name
 * @param {string} [options.serverPath] folder of `temporal-server` and `temporal-sql-tool`, by default that of `TEMPORAL_SERVER_PATH` or the cache
 * @param {(message: string) => void} [options.onProgress] gets a message before each step that takes long
 */
export async function startCluster({
  clientTls = true,
  dynamicConfig = {},
  serverPath,
  onProgress = () => undefined,
} = {}) {
  const binaries = serverPath === undefined ? await findBinaries(onProgress) : binariesIn(serverPath, 'serverPath');
  const directory = await mkdtemp(join(tmpdir(), 'temporal-cluster-'));
  // PostgreSQL runs as another user.
  await chmod(directory, 0o711);
  const cluster = new Cluster(directory, binaries);
  try {
    await cluster.start({ clientTls, dynamicConfig, onProgress });
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class Cluster {
  #binaries;
  #directory;
  #running = new Map();
  #nodes = [];
  postgres;
  certificates;
  /** Of the frontend. */
  address;
  /** The variables with which a client reaches it. */
  env = {};

  constructor(directory, binaries) {
    this.#directory = directory;
    this.#binaries = binaries;
    this.postgres = new Postgres(directory);
  }

  async start({ clientTls, dynamicConfig, onProgress }) {
    onProgress('Starting PostgreSQL');
    await this.postgres.create();
    onProgress('Creating the schema');
    for (const database of Object.keys(SCHEMAS)) {
      await this.#sql(database, ['create']);
      await this.#sql(database, ['setup-schema', '-v', '0.0']);
    }
    await this.#updateSchemas();
    this.certificates = await createCertificates(join(this.#directory, 'certificates'));
    for (const [name, service] of Object.entries(NODES)) this.#nodes.push({ name, service, ...(await nodePorts()) });
    const dynamicConfigFile = join(this.#directory, 'dynamic.json');
    const values = Object.entries(dynamicConfig).map(([name, value]) => [name, [{ value }]]);
    await writeFile(dynamicConfigFile, JSON.stringify(Object.fromEntries(values)));
    await mkdir(join(this.#directory, 'nodes'));
    for (const node of this.#nodes) {
      const { postgres, certificates } = this;
      const config = nodeConfig(node, { nodes: this.#nodes, postgres, certificates, clientTls, dynamicConfigFile });
      await writeFile(this.#configFile(node.name), JSON.stringify(config, null, 2), { mode: 0o600 });
    }
    const frontend = this.#nodes.find(({ name }) => name === 'frontend');
    this.address = `127.0.0.1:${frontend.port}`;
    this.env = { TEMPORAL_ADDRESS: this.address, ...(clientTls ? tlsEnvironment(this.certificates) : {}) };
    onProgress(`Starting ${this.#nodes.length} nodes`);
    // The first node writes the cluster's metadata. Two that did so at once would both fail.
    await this.startNode('frontend');
    await Promise.all(this.nodeNames.filter((name) => name !== 'frontend').map((name) => this.startNode(name)));
    await untilReady(this, clientTls);
  }

  get nodeNames() {
    return this.#nodes.map(({ name }) => name);
  }

  /** @returns the process id of PostgreSQL and of each node that runs, by name */
  get pids() {
    const running = [...this.#running].filter(([, child]) => child.isRunning);
    return { postgres: this.postgres.pid, ...Object.fromEntries(running.map(([name, child]) => [name, child.pid])) };
  }

  /** @returns once the node listens */
  async startNode(name) {
    const node = this.#nodes.find((other) => other.name === name);
    const args = ['--config-file', this.#configFile(name), '--allow-no-auth', 'start', '--service', node.service];
    const log = join(this.#directory, 'nodes', `${name}.log`);
    const child = new Child(name, this.#binaries.server, args, { log });
    this.#running.set(name, child);
    // The worker node serves nothing.
    if (node.service !== 'worker') await child.ready(() => accepts(node.port));
  }

  /** Replaces the programs of all nodes, one node after the other, after the schemas were updated, as Temporal recommends. */
  async upgrade(onProgress = () => undefined) {
    this.#binaries = await findBinaries(onProgress);
    await this.#updateSchemas();
    for (const name of this.nodeNames) {
      await this.endNode(name);
      await this.startNode(name);
    }
  }

  async #updateSchemas() {
    for (const [database, schema] of Object.entries(SCHEMAS))
      await this.#sql(database, ['update-schema', '--schema-name', schema]);
  }

  lastLines(name) {
    return this.#running.get(name)?.lastLines() ?? '';
  }

  /** Ends the node as a deployment does: it hands over its shards first. */
  async endNode(name) {
    await this.#running.get(name)?.end();
  }

  async killNode(name) {
    await this.#running.get(name)?.kill();
  }

  /** @param signal SIGSTOP or SIGCONT */
  signalNode(name, signal) {
    this.#running.get(name)?.signal(signal);
  }

  async stop() {
    // The frontend first, so that nobody begins anything.
    for (const name of ['frontend', 'worker', 'matching', 'history1', 'history2']) await this.#running.get(name)?.end();
    await this.postgres.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #configFile(name) {
    return join(this.#directory, 'nodes', `${name}.json`);
  }

  async #sql(database, args) {
    const { port, user, password } = this.postgres;
    const to = [
      '--plugin',
      'postgres12',
      '--ep',
      '127.0.0.1',
      '--port',
      String(port),
      '--user',
      user,
      '--db',
      database,
    ];
    await run(this.#binaries.sqlTool, [...to, ...args], { env: { ...process.env, SQL_PASSWORD: password } });
  }
}

function tlsEnvironment({ ca, client }) {
  return {
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: client.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
    TEMPORAL_TLS_SERVER_NAME: SERVER_NAME,
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (accepted) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
