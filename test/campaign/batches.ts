import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { completeBatch, pauseBatch, resumeBatch, stopBatch } from 'temporal-incode/client';
import { type BatchRow, batchWorkflowId, FAILURES } from '../../src/contract/index.js';
import type { Sessions } from './sessions.js';
import { describe, resetActivity, resetWorkflow } from './sessions.js';
import { MAIN } from './supervised.js';
import type { BatchAction, PlannedBatch } from './types.js';
import type { CampaignWorld } from './world.js';

const TOLD = ['BatchDetachedError', 'BatchShardError', 'BatchNotFoundError', 'TemporalUnavailableError'];

/** Exit codes of the command: 0 and 6 after the last session, 3 if it continues on the server, 1 without a server, 2 while the file of keys is invalid. */
const EXITS = { ended: [0, 6], again: [1, 2, 3] };

/** Runs one list until every session has a row, and attaches again after each failure. */
export class BatchRunner {
  readonly batch: PlannedBatch;
  readonly problems: string[] = [];
  rows: Map<string, BatchRow> | null = null;
  from = 0;
  to = 0;
  private readonly world: CampaignWorld;
  private readonly sessions: Sessions;
  private detach: () => void = () => undefined;
  private wasStopped = false;

  constructor(batch: PlannedBatch, world: CampaignWorld, sessions: Sessions) {
    this.batch = batch;
    this.world = world;
    this.sessions = sessions;
  }

  get shards(): number {
    return Math.ceil(this.batch.sessions.length / this.batch.shardSize);
  }

  async say(kind: BatchAction, choice: number): Promise<string> {
    const { batchId } = this.batch;
    const { onboarding } = this.world;
    const shard = batchWorkflowId(batchId, Math.floor(choice * this.shards));
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
    const tokens = await Promise.all(this.batch.sessions.map((session) => this.sessions.open(session, 'batch')));
    const list = this.batch.sessions.map(({ interviewId, token, spec }, index) => ({
      interviewId,
      ...(token === 'none' ? {} : { sessionToken: tokens[index] ?? '' }),
      ...(spec.flowId ? { flowId: spec.flowId } : {}),
    }));
    let attempts = 0;
    for (;;) {
      attempts += 1;
      const rows = await (this.batch.by === 'cli' ? this.byCommand(list) : this.byLibrary(list)).catch((error) => {
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
      if (this.sessions.isOver && this.problems.length > 0) throw new Error('gave up');
      await sleep(300);
    }
  }

  private async byLibrary(list: Parameters<typeof completeBatch>[1]): Promise<Map<string, BatchRow>> {
    const { batchId, plan, shardSize } = this.batch;
    const controller = new AbortController();
    this.detach = () => controller.abort();
    const rows = new Map<string, BatchRow>();
    const items = completeBatch(this.world.onboarding, list, {
      batchId,
      plan,
      shardSize,
      window: 2,
      order: 'asCompleted',
      retryFailed: this.wasStopped,
      signal: controller.signal,
      onProgress: () => undefined,
      progressIntervalMs: 500,
    });
    for await (const { interviewId, index: _, ...row } of items) rows.set(interviewId, row);
    return rows;
  }

  private async byCommand(list: Iterable<unknown>): Promise<Map<string, BatchRow> | null> {
    const { batchId, plan } = this.batch;
    const file = join(this.world.directory, `${batchId}.ndjson`);
    const out = join(this.world.directory, `${batchId}-results.ndjson`);
    writeFileSync(file, [...list].map((session) => JSON.stringify(session)).join('\n'));
    const args = ['batch', file, '--batch-id', batchId, '--out', out, '--score-deadline', String(plan.scoreDeadline)];
    if (plan.close) args.push('--close');
    if (plan.score === false) args.push('--no-score');
    if (this.wasStopped) args.push('--retry-failed');
    const code = await command(this.world, args, (kill) => {
      this.detach = kill;
    });
    if (code !== null && !EXITS.ended.includes(code)) {
      if (!EXITS.again.includes(code)) this.problems.push(`the command ended with ${code}`);
      return null;
    }
    if (code === null) return null;
    const lines = (await readFile(out, 'utf8')).split('\n').filter(Boolean);
    return new Map(lines.map((line) => JSON.parse(line)).map(({ interviewId, ...row }) => [interviewId, row]));
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
