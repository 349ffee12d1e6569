import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../../scripts/cluster/cluster.js';
import { connectExisting, prepareNamespace, temporalVariables } from '../../scripts/cluster/existing.js';
import type { LocalTemporalServer } from '../../src/testing/index.js';
import { startNewServer } from '../support/new-server.js';

/** The server process of `npm test`, a cluster, or a server that somebody else runs. */
export type ServerKind = 'local' | 'cluster' | 'existing';

/** The Temporal server of a campaign. */
export interface CampaignServer {
  readonly kind: ServerKind;
  readonly address: string;
  /** The variables with which a process reaches it. */
  readonly env: Record<string, string>;
  /** Ends it, or leaves it if somebody else runs it. */
  stop(): Promise<void>;
}

const START_ATTEMPTS = 5;

/** A busy machine may exceed the time limit of a start. */
async function startWithRetries(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

/** One process with a database file. */
export class LocalServer implements CampaignServer {
  readonly kind = 'local';
  readonly address: string;
  readonly env: Record<string, string>;
  private readonly dataDir: string;
  private server: LocalTemporalServer;

  static async start(dataDir: string): Promise<LocalServer> {
    return new LocalServer(await startNewServer({ dataDir }), dataDir);
  }

  private constructor(server: LocalTemporalServer, dataDir: string) {
    this.server = server;
    this.dataDir = dataDir;
    this.address = server.address;
    this.env = { TEMPORAL_ADDRESS: server.address };
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  async startAgain(): Promise<void> {
    const options = { port: Number(this.address.split(':')[1]), dataDir: this.dataDir };
    await startWithRetries(async () => {
      this.server = await startNewServer(options);
    });
  }

  stop(): Promise<void> {
    return this.server.kill();
  }
}

export const NODES = ['frontend', 'history1', 'history2', 'matching', 'worker'] as const;

export type Node = (typeof NODES)[number];

/** PostgreSQL and a process for each node, with TLS. */
export class ClusterServer implements CampaignServer {
  readonly kind = 'cluster';
  readonly address: string;
  readonly env: Record<string, string>;
  private readonly cluster: Awaited<ReturnType<typeof startCluster>>;
  private readonly certificate: { cert: string; key: string };

  /** @param upgradeFrom a folder with an older server, which a fault of the campaign replaces */
  static async start(
    directory: string,
    onProgress: (message: string) => void,
    upgradeFrom?: string,
  ): Promise<ClusterServer> {
    const cluster = await startCluster({ onProgress, ...(upgradeFrom ? { serverPath: upgradeFrom } : {}) });
    try {
      const connection = await connectExisting(cluster.env);
      try {
        await prepareNamespace(connection, 'default');
      } finally {
        await connection.close();
      }
      return new ClusterServer(cluster, directory);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(cluster: Awaited<ReturnType<typeof startCluster>>, directory: string) {
    this.cluster = cluster;
    this.address = String(cluster.address);
    this.certificate = { cert: join(directory, 'client.pem'), key: join(directory, 'client.key') };
    this.env = {
      ...cluster.env,
      TEMPORAL_TLS_CLIENT_CERT_PATH: this.certificate.cert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: this.certificate.key,
    };
    this.useCertificate('client');
  }

  /** Replaces the certificate of workers, receiver and command. They read it when they start. */
  useCertificate(which: 'client' | 'expired'): void {
    const from = this.cluster.certificates[which];
    for (const part of ['key', 'cert'] as const) {
      copyFileSync(from[part], `${this.certificate[part]}.new`);
      renameSync(`${this.certificate[part]}.new`, this.certificate[part]);
    }
  }

  async kill(nodes: readonly Node[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.cluster.killNode(node)));
  }

  async end(nodes: readonly Node[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.cluster.endNode(node)));
  }

  /** Starts those of the nodes that do not run. */
  async startAgain(nodes: readonly Node[]): Promise<void> {
    await Promise.all(nodes.map((node) => startWithRetries(() => this.startOne(node))));
  }

  private async startOne(node: Node): Promise<void> {
    if (!(node in this.cluster.pids)) await this.cluster.startNode(node);
  }

  /** Replaces the older server node by node. */
  async upgrade(): Promise<void> {
    await this.cluster.upgrade();
  }

  signal(node: Node, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.cluster.signalNode(node, signal);
  }

  /** @param how killed with every process, or ended as an operator restarts it */
  async stopDatabase(how: 'kill' | 'restart'): Promise<void> {
    if (how === 'kill') await this.cluster.postgres.kill();
    else await this.cluster.postgres.stop();
  }

  startDatabase(): Promise<void> {
    return startWithRetries(() => this.cluster.postgres.start());
  }

  /** The nodes that do not run. */
  get endedNodes(): Node[] {
    return NODES.filter((node) => !(node in this.cluster.pids));
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }
}

/** The server of `TEMPORAL_ADDRESS`. Gets a new namespace, in which nobody else works. */
export class ExistingServer implements CampaignServer {
  readonly kind = 'existing';
  readonly address: string;
  readonly env: Record<string, string>;

  static async find(namespace: string): Promise<ExistingServer> {
    const env = { ...temporalVariables(process.env), TEMPORAL_NAMESPACE: namespace };
    const connection = await connectExisting(env);
    try {
      await prepareNamespace(connection, namespace);
      return new ExistingServer(connection.options.address, env);
    } finally {
      await connection.close();
    }
  }

  private constructor(address: string, env: Record<string, string>) {
    this.address = address;
    this.env = env;
  }

  async stop(): Promise<void> {
    // Somebody else runs it.
  }
}
