import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import {
  type FaultEffect,
  type IncodeSimulator,
  type LocalTemporalServer,
  startIncodeSimulator,
} from '../../src/testing/index.js';
import { randomFrom } from '../campaign/random.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

// The usual run has to end within a minute. PROOF_SESSIONS=5000 PROOF_KILLS=20 kills twenty times in a batch of 5,000.
const SESSIONS = Number(process.env.PROOF_SESSIONS ?? 1_500);
const KILLS = Number(process.env.PROOF_KILLS ?? 3);
const SEED = Number(process.env.PROOF_SEED ?? 1);

/** Each fault affects one session in a hundred, 5 % in all. */
const FAULTS: FaultEffect[] = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'reset', effect: true },
  { kind: 'hang' },
  { kind: 'hang', effect: true },
];

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

it(
  `${KILLS} kills of worker, server and client during a batch of ${SESSIONS} sessions lose no session and finish none twice`,
  async () => {
    const random = randomFrom(SEED);
    const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-proof-'));
    // Incode's own time limit, and therefore the settle time, are a tenth of the real ones.
    const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], latencyMs: 20, timeScale: 0.1 });
    const run = new Run(simulator, directory);
    try {
      await run.begin(await sessionsFile(simulator, directory));
      for (let kill = 0; kill < KILLS; kill += 1) {
        await new Promise((resolve) => setTimeout(resolve, random.between(300, 2_800)));
        await run.kill(random.pick(['worker', 'server', 'client']));
      }
      expect(await run.end()).toBe(0);

      const [, ...rows] = (await readFile(run.results, 'utf8')).trim().split('\n');
      const ids = rows.map((row) => row.split(',')[0] ?? '');
      expect(ids).toEqual(run.ids);
      expect(rows.filter((row) => !row.includes('approved'))).toEqual([]);
      const times = run.ids.map((interviewId) => simulator.effects(interviewId).finished);
      expect(times.filter((finished) => finished !== 1)).toEqual([]);
    } finally {
      await run.stop();
      await simulator.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
  600_000 + KILLS * 120_000,
);

async function sessionsFile(simulator: IncodeSimulator, directory: string): Promise<string> {
  const lines = ['interviewId,sessionToken'];
  for (let index = 0; index < SESSIONS; index += 1) {
    const { interviewId, token } = await simulator.openSession({ interviewId: `proof-${index}` });
    lines.push(`${interviewId},${token}`);
    const fault = index % 20 === 7 ? FAULTS[Math.floor(index / 20) % FAULTS.length] : undefined;
    if (fault) simulator.fault({ operation: 'finishStatus', interviewId, ...fault });
  }
  const file = join(directory, 'sessions.csv');
  await writeFile(file, lines.join('\n'));
  return file;
}

/** A server, a worker and a client, each a separate process that can be killed and restarted. */
class Run {
  readonly ids = Array.from({ length: SESSIONS }, (_, index) => `proof-${index}`);
  readonly results: string;
  private readonly simulator: IncodeSimulator;
  private readonly directory: string;
  private file = '';
  private server: LocalTemporalServer | undefined;
  private worker: WorkerProcess | undefined;
  private client: ChildProcess | undefined;

  constructor(simulator: IncodeSimulator, directory: string) {
    this.simulator = simulator;
    this.directory = directory;
    this.results = join(directory, 'results.csv');
  }

  async begin(file: string): Promise<void> {
    this.file = file;
    await this.startServer(0);
    await this.startWorker();
    this.startClient();
  }

  async kill(who: 'worker' | 'server' | 'client'): Promise<void> {
    if (who === 'worker') {
      await this.worker?.kill();
      await this.startWorker();
    } else if (who === 'server') {
      const port = Number(this.server?.address.split(':')[1]);
      await this.server?.kill();
      await this.startServer(port);
      // A worker that lost its server may have exited, as it would under a supervisor.
      await this.worker?.kill();
      await this.startWorker();
    } else {
      this.client?.kill('SIGKILL');
      this.startClient();
    }
  }

  /** @returns the exit code of a client that was not killed */
  async end(): Promise<number> {
    for (;;) {
      const { client } = this;
      if (!client) throw new Error('Nothing was begun');
      if (client.exitCode === null && client.signalCode === null) await once(client, 'exit');
      if (client.exitCode === 0) return 0;
      // The client exited because the server was killed, and printed how to attach again.
      this.startClient();
    }
  }

  async stop(): Promise<void> {
    this.client?.kill('SIGKILL');
    await this.worker?.kill();
    await this.server?.kill();
  }

  private async startServer(port: number): Promise<void> {
    this.server = await startNewServer({ port, dataDir: this.directory });
  }

  private async startWorker(): Promise<void> {
    const env = {
      INCODE_BASE_URL: this.simulator.url,
      INCODE_API_KEY: API_KEY,
      INCODE_BULK_CONNECTIONS: '16',
      INCODE_FINISH_TIMEOUT: '4s',
      INCODE_SETTLE_TIME: '4s',
      TEMPORAL_ADDRESS: this.server?.address ?? '',
    };
    this.worker = await startWorkerProcess(env, join(this.directory, 'worker.log'));
  }

  private startClient(): void {
    const batch = ['batch', this.file, '--no-score', '--out', this.results];
    const args = [MAIN, ...batch, '--address', this.server?.address ?? ''];
    this.client = spawn(process.execPath, args, { stdio: 'ignore' });
  }
}
