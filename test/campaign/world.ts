import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectedOnboardingClient, connectOnboardingClient } from 'temporal-incode/client';
import { type KeyRing, keyRingFile } from 'temporal-incode/codec';
import { type IncodeSimulator, startIncodeSimulator, type WebhookTarget } from '../../src/testing/index.js';
import { freePort } from '../../src/testing/server/process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { type CampaignServer, ClusterServer, ExistingServer, LocalServer, type ServerKind } from './servers.js';
import { Stalls } from './stalls.js';
import { type OnEnd, Supervised } from './supervised.js';
import { CONFIRM_WITHIN_MS, FINISH_TIMEOUT_MS, READ_TIMEOUT_MS, SECRET_MARKS, SETTLE_MS, TIME_SCALE } from './types.js';

export const CONFIGURATION_ID = 'campaign';

type Proxy = Awaited<ReturnType<typeof startTcpProxy>>;

export interface WorldOptions {
  tokenSource: boolean;
  server: ServerKind;
  /** A folder with the server from which a cluster is upgraded. */
  upgradeFrom?: string | undefined;
  /** Names the namespace on a server that somebody else runs. */
  seed: number;
  onEnd: (who: string, ...how: Parameters<OnEnd>) => void;
}

function startServer(
  { server, seed, upgradeFrom }: Pick<WorldOptions, 'server' | 'seed' | 'upgradeFrom'>,
  directory: string,
): Promise<CampaignServer> {
  switch (server) {
    case 'local':
      return LocalServer.start(directory);
    case 'cluster':
      return ClusterServer.start(directory, (message) => void process.stderr.write(`${message} …\n`), upgradeFrom);
    case 'existing':
      return ExistingServer.find(`faults-${seed}-${randomBytes(4).toString('hex')}`);
  }
}

/** A server, two workers and a receiver as separate processes, and a simulated Incode in this process. */
export class CampaignWorld {
  readonly directory: string;
  readonly simulator: IncodeSimulator;
  readonly workers: readonly [Supervised, Supervised];
  readonly receiver: Supervised;
  readonly stalls = new Stalls();
  readonly server: CampaignServer;
  /** The way of each worker to the server. */
  readonly proxies: readonly [Proxy, Proxy];
  /** The environment for programs that use the same server. */
  readonly env: Record<string, string>;
  readonly webhook: { url: string; headers: Record<string, string> };
  /** Every encryption key of the campaign, in base64. */
  readonly keys: string[] = [];
  onboarding!: ConnectedOnboardingClient;
  private keysFileIsBroken = false;
  private usedKeyIsLast = true;

  static async start({ tokenSource, onEnd, ...options }: WorldOptions): Promise<CampaignWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-campaign-'));
    const simulator = await startIncodeSimulator({ apiKeys: [SECRET_MARKS.apiKey], timeScale: TIME_SCALE });
    const server = await startServer(options, directory);
    const proxies = [await startTcpProxy(server.address), await startTcpProxy(server.address)] as const;
    const port = await freePort(0);
    const world = new CampaignWorld({ directory, simulator, server, proxies, tokenSource, port, onEnd });
    world.addKey();
    await mkdir(world.images);
    world.onboarding = await connectWith(server.env, keyRingFile(world.keysFile));
    const all = [...world.workers, world.receiver];
    for (const each of all) each.start();
    const areReady = await Promise.all(all.map((each) => each.ready()));
    // A campaign without workers and receiver would prove nothing.
    if (areReady.includes(false)) {
      await world.stop({ keepLogs: true });
      throw new Error(`A worker or the receiver did not start. Logs: ${directory}`);
    }
    world.setWebhooks(world.webhook);
    return world;
  }

  private constructor(parts: {
    directory: string;
    simulator: IncodeSimulator;
    server: CampaignServer;
    proxies: readonly [Proxy, Proxy];
    tokenSource: boolean;
    port: number;
    onEnd: (who: string, ...how: Parameters<OnEnd>) => void;
  }) {
    const { directory, simulator, server, proxies, tokenSource, port, onEnd } = parts;
    this.directory = directory;
    this.simulator = simulator;
    this.server = server;
    this.proxies = proxies;
    this.env = {
      PATH: process.env.PATH ?? '',
      ...server.env,
      TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: this.keysFile,
      // The command checks images before it starts anybody.
      INCODE_IMAGE_ROOTS: this.images,
    };
    const worker = {
      ...this.env,
      INCODE_BASE_URL: simulator.url,
      INCODE_API_KEY: SECRET_MARKS.apiKey,
      INCODE_TIMEOUT: `${READ_TIMEOUT_MS}ms`,
      INCODE_FINISH_TIMEOUT: `${FINISH_TIMEOUT_MS}ms`,
      INCODE_SETTLE_TIME: `${SETTLE_MS}ms`,
      INCODE_CONFIRM_WITHIN: `${CONFIRM_WITHIN_MS}ms`,
      INCODE_PROCESSED_POLL: '5s',
      INCODE_REVIEW_POLL: '5s',
      INCODE_PROCESS_POLL: '500ms',
      INCODE_DOCUMENT_RATE_LIMIT: '100',
      INCODE_FACE_RATE_LIMIT: '100',
      WORKER_SHUTDOWN_GRACE: '2s',
      LOG_LEVEL: 'debug',
      ...(tokenSource ? { INCODE_CONFIGURATION_ID: CONFIGURATION_ID } : {}),
    };
    const supervised = (who: string, args: string[], env: Record<string, string>, readyMark: string) =>
      new Supervised(args, env, { logFile: join(directory, `${who}.log`), readyMark }, (...how) => onEnd(who, ...how));
    const workerOf = (slot: 0 | 1) =>
      supervised(
        `worker-${slot}`,
        ['worker'],
        { ...worker, TEMPORAL_ADDRESS: proxies[slot].address },
        '"Worker ready"',
      );
    this.workers = [workerOf(0), workerOf(1)];
    const secrets = { WEBHOOK_PORT: String(port), WEBHOOK_HEADER_SECRETS: SECRET_MARKS.webhookSecret };
    this.receiver = supervised('receiver', ['webhooks', '--json'], { ...this.env, ...secrets }, '"delivery"');
    this.webhook = {
      url: `http://127.0.0.1:${port}/incode/webhook`,
      headers: { 'x-webhook-secret': SECRET_MARKS.webhookSecret },
    };
  }

  /** The directory with the images of people. */
  get images(): string {
    return join(this.directory, 'images');
  }

  /** Incode sends the status of every session, and says which sessions were started. */
  setWebhooks(target: WebhookTarget | null): void {
    this.simulator.setWebhook(target);
    this.simulator.setSessionWebhook(target);
  }

  get keysFile(): string {
    return join(this.directory, 'keys');
  }

  /** Adds a key to decrypt with, before any process encrypts with it. */
  addKey(): void {
    this.keys.push(randomBytes(32).toString('base64'));
    this.usedKeyIsLast = this.keys.length === 1;
    this.writeKeys();
  }

  useKey(): void {
    this.usedKeyIsLast = true;
    this.writeKeys();
  }

  breakKeysFile(): void {
    this.keysFileIsBroken = true;
    this.writeKeys();
  }

  restoreKeysFile(): void {
    this.keysFileIsBroken = false;
    this.writeKeys();
  }

  /** The output of every process, by its name. */
  async logs(): Promise<Record<string, string>> {
    const names = ['worker-0', 'worker-1', 'receiver', 'cli'];
    const texts = names.map(async (name) => [
      name,
      await readFile(join(this.directory, `${name}.log`), 'utf8').catch(() => ''),
    ]);
    return Object.fromEntries(await Promise.all(texts));
  }

  async stop({ keepLogs }: { keepLogs: boolean }): Promise<void> {
    await Promise.all([...this.workers, this.receiver].map((each) => each.dispose()));
    await this.onboarding?.close();
    await this.server.stop();
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]();
    await this.simulator.close();
    this.stalls.stop();
    if (!keepLogs) await rm(this.directory, { recursive: true, force: true });
  }

  private writeKeys(): void {
    const lines = this.keys.map((key, index) => `key-${index}:${key}`);
    const used = this.usedKeyIsLast ? lines.splice(-1) : lines.splice(-2, 1);
    const text = this.keysFileIsBroken ? 'key-0:half a ke' : [...used, ...lines].join('\n');
    // Replaces the file atomically, as a mounted secret changes.
    writeFileSync(`${this.keysFile}.new`, text);
    renameSync(`${this.keysFile}.new`, this.keysFile);
  }
}

/** The client reads its settings from the environment of this process. */
async function connectWith(env: Record<string, string>, encryptionKeys: KeyRing): Promise<ConnectedOnboardingClient> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await connectOnboardingClient({ encryptionKeys });
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
