import { completeBatch } from 'temporal-incode/client';
import { type BatchRow, batchWorkflowId } from '../../src/contract/index.js';
import { type Attaching, LIBRARY_OPTIONS, ListRunner } from './lists.js';
import type { Sessions } from './sessions.js';
import type { PlannedBatch } from './types.js';
import type { CampaignWorld } from './world.js';

/** Runs a list of sessions. */
export class BatchRunner extends ListRunner<BatchRow> {
  readonly batch: PlannedBatch;
  protected readonly idField = 'interviewId';
  private readonly sessions: Sessions;

  constructor(batch: PlannedBatch, world: CampaignWorld, sessions: Sessions) {
    super(batch, world, () => sessions.isOver);
    this.batch = batch;
    this.sessions = sessions;
  }

  protected get length(): number {
    return this.batch.sessions.length;
  }

  protected shardId(shard: number): string {
    return batchWorkflowId(this.batch.batchId, shard);
  }

  protected async open(): Promise<unknown[]> {
    const tokens = await Promise.all(this.batch.sessions.map((session) => this.sessions.open(session, 'batch')));
    return this.batch.sessions.map(({ interviewId, token, spec }, index) => ({
      interviewId,
      ...(token === 'none' ? {} : { sessionToken: tokens[index] ?? '' }),
      ...(spec.flowId ? { flowId: spec.flowId } : {}),
    }));
  }

  protected async byLibrary(sessions: unknown[], how: Attaching): Promise<Map<string, BatchRow>> {
    const { batchId, plan, shardSize } = this.batch;
    const rows = new Map<string, BatchRow>();
    const items = completeBatch(this.world.onboarding, sessions as Parameters<typeof completeBatch>[1], {
      batchId,
      plan,
      shardSize,
      ...LIBRARY_OPTIONS,
      ...how,
    });
    for await (const { interviewId, index: _, ...row } of items) rows.set(interviewId, row);
    return rows;
  }

  protected commandLine(file: string): string[] {
    const { close, score, scoreDeadline } = this.batch.plan;
    return [
      ...['batch', file, '--score-deadline', String(scoreDeadline)],
      ...(close ? ['--close'] : []),
      ...(score === false ? ['--no-score'] : []),
    ];
  }
}
