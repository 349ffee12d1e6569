import type { BatchItem, BatchRunProgress } from '../../client/index.js';
import type { Outcome } from '../../contract/index.js';
import { printFacts, printJson, printNotice } from '../shared/output.js';
import type { CheckedList } from './check.js';
import type { BatchCommandOptions } from './options.js';
import { formatCount } from './progress-bar.js';

/** Failures that are printed one by one. The results contain all of them. */
const MAX_PRINTED = 10;

/** Counts outcomes and failures. */
export class Summary {
  readonly batchId: string;
  readonly sessions: number;
  readonly invalid: number;
  readonly outcomes: Partial<Record<Outcome, number>> = {};
  readonly failures: Record<string, number> = {};
  readonly firstFailures: string[] = [];
  failed = 0;
  progress: BatchRunProgress | undefined;

  constructor(batchId: string, { sessions, invalid }: CheckedList) {
    this.batchId = batchId;
    this.sessions = sessions;
    this.invalid = invalid;
  }

  add({ outcome, failure }: BatchItem): void {
    if (outcome) this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (!failure) return;
    this.failed += 1;
    this.failures[failure.type] = (this.failures[failure.type] ?? 0) + 1;
    if (this.firstFailures.length < MAX_PRINTED) this.firstFailures.push(`${failure.message} (${failure.type})`);
  }

  asJson() {
    const { batchId, sessions, invalid, outcomes, failed, failures } = this;
    return { batchId, sessions, invalid, outcomes, failed, failures };
  }
}

/** Prints to stdout, or to stderr if the results go to stdout. */
export function printSummary(summary: Summary, { json, out }: BatchCommandOptions): void {
  if (json) {
    printJson({ ...summary.asJson(), ...(out === undefined ? {} : { results: out }) });
    return;
  }
  const { batchId, sessions, invalid, outcomes, failed, failures, firstFailures } = summary;
  for (const line of firstFailures) printNotice(line);
  if (failed > firstFailures.length) printNotice(`… and ${formatCount(failed - firstFailures.length)} more`);
  const types = Object.entries(failures).map(([type, count]) => `${type} ${formatCount(count)}`);
  const facts = {
    batch: batchId,
    sessions: formatCount(sessions),
    ...Object.fromEntries(Object.entries(outcomes).map(([outcome, count]) => [outcome, formatCount(count)])),
    failed: failed > 0 ? `${formatCount(failed)} (${types.join(', ')})` : null,
    skipped: invalid > 0 ? `${formatCount(invalid)} invalid rows` : null,
    results: out === '-' ? null : out,
  };
  printFacts(facts, out === '-' ? process.stderr : process.stdout);
}
