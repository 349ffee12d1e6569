import { sleep } from '@temporalio/workflow';
import type { StartedPerson } from '../../activities/capture/types.js';
import { requestOf } from '../../contract/capture.js';
import type { CapturePerson, CaptureRow, SuspectedOrphan } from '../../contract/index.js';
import { capture } from '../capture/activities.js';

/** Many people of a list may have ended before, so the first question comes soon. */
const FIRST_WAIT_MS = 1_000;

/** One activity and one timer for all people of the shard, so a wait of hours costs little. */
const MAX_WAIT_MS = 60_000;

/**
 * People whose workflows this run has not started: an earlier list, a service, or the previous run of the shard did. Their results do not come
 * by themselves, so an activity asks for them from time to time.
 */
export class ElsewhereStarted {
  private readonly people: CapturePerson[];
  private readonly onEnded: (index: number, row: CaptureRow) => void;
  private readonly onUnknown: (index: number) => void;
  private readonly onReplaceable: (index: number, earlier: SuspectedOrphan[]) => void;
  private readonly waiting = new Set<number>();
  /** Runs of people that were compared with the list. */
  private readonly comparedRuns = new Map<number, string>();
  /** People to start again if their workflow has failed before the first question. */
  private readonly retried = new Set<number>();
  private waitMs = FIRST_WAIT_MS;
  private isRunning = false;
  private asking = false;

  /**
   * @param onEnded called with the row of a person whose workflow has ended
   * @param onUnknown called for a person whom the namespace does not know any more
   * @param onReplaceable called for a person who may be started again, with the sessions of earlier runs
   */
  constructor(
    people: CapturePerson[],
    onEnded: (index: number, row: CaptureRow) => void,
    onUnknown: (index: number) => void,
    onReplaceable: (index: number, earlier: SuspectedOrphan[]) => void,
  ) {
    this.people = people;
    this.onEnded = onEnded;
    this.onUnknown = onUnknown;
    this.onReplaceable = onReplaceable;
  }

  get isAsking(): boolean {
    return this.asking;
  }

  /** Who is still to be started again, for the next run of the shard. */
  get toRetry(): number[] {
    return [...this.retried];
  }

  /** @param retryFailed whether to start the person again if the workflow has failed. `false` if this shard has started that workflow */
  add(index: number, retryFailed = false): void {
    this.waiting.add(index);
    if (retryFailed) this.retried.add(index);
    this.comparedRuns.delete(index);
    this.waitMs = FIRST_WAIT_MS;
    // Cancellation ends the shard itself.
    if (!this.isRunning) this.askUntilEnded().catch(() => undefined);
  }

  /** @returns what is known of the sessions of people who go on, by index */
  async sessionsOf(indexes: number[]): Promise<Map<number, CaptureRow>> {
    const people = indexes.map((index) => {
      const { reference } = this.people[index] as CapturePerson;
      return { index, reference, onlySession: true as const };
    });
    const { sessions = [] } = await capture.collectResults({ people });
    return new Map(sessions);
  }

  private async askUntilEnded(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.size > 0) {
      const { waitMs } = this;
      this.waitMs = Math.min(MAX_WAIT_MS, waitMs * 2);
      await sleep(waitMs, { summary: 'Until people who were started before are looked at' });
      await this.ask();
    }
    this.isRunning = false;
  }

  private async ask(): Promise<void> {
    this.asking = true;
    const people = [...this.waiting].map((index) => this.started(index));
    const {
      ended,
      unknown,
      compared = [],
      replaceable = [],
      earlierSessions = [],
    } = await capture.collectResults({ people });
    this.asking = false;
    for (const [index, runId] of compared) {
      if (runId === null) this.comparedRuns.delete(index);
      else this.comparedRuns.set(index, runId);
      this.retried.delete(index);
    }
    for (const index of [...ended.map(([index]) => index), ...unknown]) {
      this.waiting.delete(index);
      this.retried.delete(index);
    }
    const earlier = new Map(earlierSessions);
    for (const [index, row] of ended) {
      if (replaceable.includes(index)) this.onReplaceable(index, earlier.get(index) ?? []);
      else this.onEnded(index, row);
    }
    for (const index of unknown) this.onUnknown(index);
  }

  /** What a person was started with is compared once for each run, because each question remains in the history. */
  private started(index: number): StartedPerson {
    const person = this.people[index] as CapturePerson;
    const { reference } = person;
    const comparedRunId = this.comparedRuns.get(index);
    const retry = this.retried.has(index) ? { retryFailed: true as const } : {};
    return { index, reference, ...(comparedRunId ? { comparedRunId } : { startedWith: requestOf(person) }), ...retry };
  }
}
