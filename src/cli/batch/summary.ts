import type { BatchRunProgress } from '../../client/index.js';
import { counted, formatCount } from '../../contract/counted.js';
import { FAILURES, type Outcome } from '../../contract/index.js';
import { printFacts, printJson, printNotice } from '../shared/output.js';
import type { ListCommandOptions } from './options.js';

/** Failures that are printed one by one. The results contain all of them. */
const MAX_PRINTED = 10;

/** What a list consists of. */
export type Noun = 'sessions' | 'people';

/** The result of an item of a list. */
export interface ListResult {
  /** Position in the list, from 0. */
  index: number;
  outcome?: Outcome;
  failure?: { type: string; message: string };
}

/** Counts outcomes and failures. */
export class Summary {
  readonly batchId: string;
  readonly noun: Noun;
  readonly count: number;
  readonly invalid: number;
  readonly outcomes: Partial<Record<Outcome, number>> = {};
  readonly failures: Record<string, number> = {};
  readonly firstFailures: string[] = [];
  failed = 0;
  /** Items that have no outcome because somebody stopped the batch. */
  stopped = 0;
  progress: BatchRunProgress | undefined;

  constructor(batchId: string, noun: Noun, { count, invalid }: { count: number; invalid: number }) {
    this.batchId = batchId;
    this.noun = noun;
    this.count = count;
    this.invalid = invalid;
  }

  add({ outcome, failure }: ListResult): void {
    if (outcome) this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (!failure) return;
    if (failure.type === FAILURES.batchStopped) {
      this.stopped += 1;
      return;
    }
    this.failed += 1;
    this.failures[failure.type] = (this.failures[failure.type] ?? 0) + 1;
    if (this.firstFailures.length < MAX_PRINTED) this.firstFailures.push(`${failure.message} (${failure.type})`);
  }

  asJson() {
    const { batchId, noun, count, invalid, outcomes, failed, stopped, failures } = this;
    return { batchId, [noun]: count, invalid, outcomes, failed, stopped, failures };
  }
}

/** Prints to stdout, or to stderr if the results go to stdout. */
export function printSummary(summary: Summary, { json, out }: Pick<ListCommandOptions, 'json' | 'out'>): void {
  if (json) {
    printJson({ ...summary.asJson(), ...(out === undefined ? {} : { results: out }) });
    return;
  }
  const { batchId, noun, count, invalid, outcomes, failed, stopped, failures, firstFailures } = summary;
  for (const line of firstFailures) printNotice(line);
  if (failed > firstFailures.length) printNotice(`… and ${formatCount(failed - firstFailures.length)} more`);
  const types = Object.entries(failures).map(([type, count]) => `${type} ${formatCount(count)}`);
  const facts = {
    batch: batchId,
    [noun]: formatCount(count),
    ...Object.fromEntries(Object.entries(outcomes).map(([outcome, count]) => [outcome, formatCount(count)])),
    failed: failed > 0 ? `${formatCount(failed)} (${types.join(', ')})` : null,
    stopped: stopped > 0 ? formatCount(stopped) : null,
    skipped: invalid > 0 ? counted(invalid, 'invalid row') : null,
    results: out === '-' ? null : out,
  };
  printFacts(facts, out === '-' ? process.stderr : process.stdout);
}
