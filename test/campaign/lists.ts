import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { pauseBatch, resumeBatch, stopBatch } from 'temporal-incode/client';
import { FAILURES } from '../../src/contract/index.js';
import { describe, resetActivity, resetWorkflow } from './sessions.js';
import { MAIN } from './supervised.js';
import type { BatchAction } from './types.js';
import type { CampaignWorld } from './world.js';

const TOLD = ['BatchDetachedError', 'BatchShardError', 'BatchNotFoundError', 'TemporalUnavailableError'];

/** Exit codes of the command: 0 and 6 after the last item, 3 if it continues on the server, 1 without a server, 2 while the file of keys or an image is invalid. */
const EXITS = { ended: [0, 6], again: [1, 2, 3] };

/** A list of sessions or people. */
export interface List {
  batchId: string;
  shardSize: number;
  /** The program that runs the list. */
  by: 'library' | 'cli';
}

/** How the program that runs a list attaches to it. */
export interface Attaching {
  retryFailed: boolean;
  signal: AbortSignal;
}

/** Of each call of the library, which keeps two shards in flight. */
export const LIBRARY_OPTIONS = {
  window: 2,
  order: 'asCompleted',
  onProgress: () => undefined,
  progressIntervalMs: 500,
} as const;

/** Runs one list until every item has a row, and attaches again after each failure. */
export abstract class ListRunner<Row extends { failure?: { type: string } }> {
  readonly problems: string[] = [];
  rows: Map<string, Row> | null = null;
  from = 0;
  to = 0;
  protected readonly world: CampaignWorld;
  private readonly listed: List;
  private readonly isOver: () => boolean;
  private detach: () => void = () => undefined;
  private wasStopped = false;
  private isAbandoned = false;

  /** @param isOver whether no fault is left that would excuse a failure */
  constructor(list: List, world: CampaignWorld, isOver: () => boolean) {
    this.listed = list;
    this.world = world;
    this.isOver = isOver;
  }

  get batchId(): string {
    return this.listed.batchId;
  }

  protected abstract readonly length: number;
  protected abstract shardId(shard: number): string;
  /** Opens what the list needs, once. @returns the items of the list */
  protected abstract open(): Promise<unknown[]>;
  protected abstract byLibrary(items: unknown[], how: Attaching): Promise<Map<string, Row>>;
  /** The command and its options, which depend on the plan. */
  protected abstract commandLine(file: string): string[];
  /** The id of an item in the command's results. */
  protected abstract readonly idField: string;

  /** Ends a run that would never have every row, so that this process can end. */
  abandon(): void {
    this.isAbandoned = true;
    this.detach();
  }

  async say(kind: BatchAction, choice: number): Promise<string> {
    const { batchId, shardSize } = this.listed;
    const { onboarding } = this.world;
    const shard = this.shardId(Math.floor(choice * Math.ceil(this.length / shardSize)));
    const handle = onboarding.temporal.workflow.getHandle(shard);
    try {
      switch (kind) {
        case 'run':
          return await this.run();
        case 'detach':
          this.detach();
          return 'done';
        case 'pause':
          return `${await pauseBatch(onboarding, batchId)} shards`;
        case 'resume':
          return `${await resumeBatch(onboarding, batchId)} shards`;
        case 'stop':
          return `${await stopBatch(onboarding, batchId, { waitMs: 2_000 })} left`;
        case 'cancelShard':
          await handle.cancel();
          return 'done';
        case 'terminateShard':
          await handle.terminate('campaign');
          return 'done';
        case 'resetShard':
          return await resetWorkflow(this.world, shard, choice);
        case 'resetActivityOfShard':
          await resetActivity(this.world, shard, { resetHeartbeat: choice < 0.5 });
          return 'done';
        default:
          return kind satisfies never;
      }
    } catch (error) {
      return this.told(kind, error);
    }
  }

  private told(kind: BatchAction, error: unknown): string {
    const { name } = error as Error;
    const isRaw = kind.endsWith('Shard') && (isGrpcServiceError(error) || name === 'WorkflowNotFoundError');
    if (!TOLD.includes(name) && !isRaw) this.problems.push(`${kind}: ${describe(error)}`);
    return name;
  }

  private async run(): Promise<string> {
    this.from = Date.now();
    const items = await this.open();
    let attempts = 0;
    for (;;) {
      attempts += 1;
      const rows = await (this.listed.by === 'cli' ? this.byCommand(items) : this.attach(items)).catch((error) => {
        this.told('run', error);
        return null;
      });
      const isStopped = rows && [...rows.values()].some(({ failure }) => failure?.type === FAILURES.batchStopped);
      if (isStopped) this.wasStopped = true;
      if (rows && !isStopped) {
        this.rows = rows;
        this.to = Date.now();
        return `${rows.size} rows, attached ${attempts} times`;
      }
      if (this.isAbandoned || (this.isOver() && this.problems.length > 0)) throw new Error('gave up');
      await sleep(300);
    }
  }

  private attach(items: unknown[]): Promise<Map<string, Row>> {
    const controller = new AbortController();
    this.detach = () => controller.abort();
    return this.byLibrary(items, { retryFailed: this.wasStopped, signal: controller.signal });
  }

  private async byCommand(items: unknown[]): Promise<Map<string, Row> | null> {
    const { batchId } = this.listed;
    const file = join(this.world.directory, `${batchId}.ndjson`);
    const out = join(this.world.directory, `${batchId}-results.ndjson`);
    writeFileSync(file, items.map((item) => JSON.stringify(item)).join('\n'));
    const args = [...this.commandLine(file), '--batch-id', batchId, '--out', out];
    if (this.wasStopped) args.push('--retry-failed');
    const code = await command(this.world, args, (kill) => {
      this.detach = kill;
    });
    if (code === null) return null;
    if (!EXITS.ended.includes(code)) {
      if (!EXITS.again.includes(code)) this.problems.push(`the command ended with ${code}`);
      return null;
    }
    const lines = (await readFile(out, 'utf8')).split('\n').filter(Boolean);
    return new Map(lines.map((line) => JSON.parse(line)).map(({ [this.idField]: id, ...row }) => [id, row]));
  }
}

/** Runs the program and keeps its output for the search for secrets. @returns `null` if it was killed */
export async function command(
  world: CampaignWorld,
  args: string[],
  onStart: (kill: () => void) => void = () => undefined,
): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: world.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = join(world.directory, 'cli.log');
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => appendFileSync(log, chunk));
  const kill = () => void child.kill('SIGKILL');
  onStart(kill);
  process.on('exit', kill);
  const [code] = await once(child, 'close');
  process.off('exit', kill);
  return code;
}
