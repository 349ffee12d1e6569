import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  ChildWorkflowFailure,
  type ChildWorkflowHandle,
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  patched,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  type BatchProgress,
  type CaptureBatchInput,
  type CaptureBatchResult,
  type CapturePerson,
  type CaptureRow,
  type CaptureWorkflow,
  checkCaptureBatchInput,
  type SuspectedOrphan,
} from '../../contract/index.js';
import { rowOfFailedPerson, rowOfPerson } from '../../contract/person-row.js';
import { progressOf } from '../batch/record.js';
import { guarded } from '../failures.js';
import { NEW_RUN, wantsNewRun } from '../new-run.js';
import { needed, readableInput } from '../unreadable.js';
import { publishProgress } from '../visibility.js';
import { ElsewhereStarted } from './elsewhere.js';
import { startPerson } from './person.js';
import { Places } from './places.js';
import { type CaptureBatchRecord, newCaptureBatchRecord, stoppedPersonRow } from './record.js';

const pause = defineSignal(BATCH_SIGNALS.pause);
const resume = defineSignal(BATCH_SIGNALS.resume);
const stop = defineSignal(BATCH_SIGNALS.stop);
const progress = defineQuery<BatchProgress>(BATCH_QUERIES.progress);

/**
 * Onboards one shard of a list of people, and returns a row for each. Every person is a workflow of their own, which goes on whatever happens
 * to the shard. A person whose workflow exists already is attached to.
 *
 * @param carried the record of the previous run; callers omit it
 */
export async function captureBatch(
  input: CaptureBatchInput,
  carried?: CaptureBatchRecord,
): Promise<CaptureBatchResult> {
  const checkedInput = guarded(() => checkCaptureBatchInput(readableInput(input)));
  const record = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : needed(carried);
  return new CaptureBatch(checkedInput, record ?? newCaptureBatchRecord(checkedInput)).run();
}

/** Marks in a history that rows of people who were cancelled, terminated or left alone name their sessions. Earlier versions did not. */
const NAMES_SESSIONS = 'names-sessions';

/** Marks in a history that a stop does not wait for a question. Earlier versions waited, and forgot the stop if the answer had nobody. */
const STOPS_AT_ONCE = 'stops-at-once';

/** Marks in a history that somebody else begins in the place of a person who was ended. Earlier versions waited until a person had a row. */
const FILLS_PLACES = 'fills-places';

/** Longer than a person who waits for nobody. */
const PLACE_PERIOD = '10 minutes';

class CaptureBatch {
  private readonly input: CaptureBatchInput;
  private readonly record: CaptureBatchRecord;
  private readonly places = new Places();
  private readonly elsewhere: ElsewhereStarted;
  /** Children whose start the server has not confirmed. */
  private starting = 0;
  /** People whose earlier workflow has failed and may be replaced, with the sessions that it has left. */
  private readonly replaceable = new Map<number, SuspectedOrphan[]>();
  private isFreeing = false;
  private failure: { error: unknown } | undefined;
  /** Something changed that may allow another person to begin, or end the shard. */
  private changed = false;

  constructor(input: CaptureBatchInput, record: CaptureBatchRecord) {
    this.input = input;
    this.record = record;
    this.elsewhere = new ElsewhereStarted(
      input.people,
      (index, row) => this.end(index, row),
      (index) => this.unbegin(index),
      (index, earlier) => {
        this.replaceable.set(index, earlier);
        this.unbegin(index);
      },
    );
    setHandler(pause, () => this.set({ paused: true }));
    setHandler(resume, () => this.set({ paused: false }));
    setHandler(stop, () => this.set({ stopped: true }));
    setHandler(progress, () => this.progress());
    // The previous run started them, and their results go to nobody.
    for (const index of record.begun) this.elsewhere.add(index, record.toRetry?.includes(index));
  }

  async run(): Promise<CaptureBatchResult> {
    const { record } = this;
    for (;;) {
      if (this.failure) throw this.failure.error;
      const isRunOver = wantsNewRun();
      if (this.mayStop() || (this.isIdle && record.rows.every((row) => row !== null))) return await this.result();
      if (this.isIdle && isRunOver && allHandlersFinished()) {
        const { earlier: _, ...input } = this.input;
        record.toRetry = this.elsewhere.toRetry;
        await makeContinueAsNewFunc<typeof captureBatch>(NEW_RUN)(input, record);
      }
      if (!isRunOver) for (const index of this.next()) void this.begin(index);
      if (this.places.free === 0 && !this.isFreeing) this.freePlaces().catch(() => undefined);
      this.changed = false;
      await condition(() => this.changed || (this.isIdle && wantsNewRun()));
    }
  }

  /** A question may last minutes if images are read for it. Nobody needs its answer once the list is stopped. */
  private mayStop(): boolean {
    return this.record.stopped && this.starting === 0 && (this.isIdle || patched(STOPS_AT_ONCE));
  }

  /** Whether no start and no question is in flight. The next run would not get its answer. */
  private get isIdle(): boolean {
    return this.starting === 0 && !this.elsewhere.isAsking;
  }

  /** @returns indexes of people who may begin now */
  private next(): number[] {
    const { rows, begun, paused, stopped } = this.record;
    if (paused || stopped) return [];
    const waiting = rows.flatMap((row, index) => (row === null && !begun.includes(index) ? [index] : []));
    return waiting.slice(0, this.places.free);
  }

  private async begin(index: number): Promise<void> {
    this.places.take(index);
    this.record.begun.push(index);
    const earlier = this.replaceable.get(index);
    this.replaceable.delete(index);
    try {
      const child = await this.start(index, earlier);
      if (child === undefined) {
        this.places.release(index);
        this.elsewhere.add(index, this.input.retryFailed && earlier === undefined);
      } else await this.follow(index, child);
    } catch (error) {
      this.failure = { error };
      this.changed = true;
    }
  }

  private async follow(index: number, child: ChildWorkflowHandle<CaptureWorkflow>): Promise<void> {
    try {
      const result = await child.result();
      if (result.onboarding === null) this.elsewhere.add(index);
      else this.end(index, rowOfPerson(result, result.onboarding));
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure)) throw error;
      // Only a failure has facts. For everybody else, the history of the person names the session. If the shard is cancelled, nobody needs it.
      const hasFacts = error.cause instanceof ApplicationFailure || CancellationScope.current().consideredCancelled;
      if (!hasFacts && patched(NAMES_SESSIONS)) {
        this.places.release(index);
        this.elsewhere.add(index);
        if (patched(FILLS_PLACES)) this.changed = true;
      } else this.end(index, rowOfFailedPerson(this.person(index).reference, error.cause));
    }
  }

  /**
   * @param earlier sessions of the earlier workflow, which has failed and is replaced
   * @returns `undefined` if the person's workflow exists already
   */
  private async start(
    index: number,
    earlier: SuspectedOrphan[] | undefined,
  ): Promise<ChildWorkflowHandle<CaptureWorkflow> | undefined> {
    this.starting += 1;
    try {
      return await startPerson(this.person(index), this.input, earlier);
    } finally {
      this.starting -= 1;
      this.changed = true;
    }
  }

  private person(index: number): CapturePerson {
    return this.input.people[index] as CapturePerson;
  }

  private end(index: number, row: CaptureRow): void {
    this.record.rows[index] = row;
    this.unbegin(index);
  }

  private unbegin(index: number): void {
    this.record.begun = this.record.begun.filter((other) => other !== index);
    this.places.release(index);
    this.changed = true;
    publishProgress(this.progress());
  }

  private async freePlaces(): Promise<void> {
    this.isFreeing = true;
    await sleep(PLACE_PERIOD, { summary: 'Until people who wait for somebody make room for others' });
    this.places.nextPeriod();
    this.isFreeing = false;
    this.changed = true;
  }

  private set(change: Partial<Pick<CaptureBatchRecord, 'paused' | 'stopped'>>): void {
    Object.assign(this.record, change);
    this.changed = true;
    publishProgress(this.progress());
  }

  private progress(): BatchProgress {
    const { rows, begun, paused } = this.record;
    const open = rows.map((_, index) => (begun.includes(index) ? {} : null));
    return progressOf(this.input, { rows, open, paused, heldUpBy: null });
  }

  private async result(): Promise<CaptureBatchResult> {
    const { batchId, shard } = this.input;
    const { rows, begun } = this.record;
    const isBegun = (index: number) => begun.includes(index);
    const left = rows.flatMap((row, index) => (row === null && isBegun(index) ? [index] : []));
    const known = left.length > 0 && patched(NAMES_SESSIONS) ? await this.elsewhere.sessionsOf(left) : new Map();
    return {
      batchId,
      shard,
      rows: rows.map(
        (row, index) => row ?? stoppedPersonRow(this.person(index).reference, isBegun(index), known.get(index)),
      ),
    };
  }
}
