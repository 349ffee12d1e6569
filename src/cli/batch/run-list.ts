import { lastKnownShard } from '../../client/batch/list.js';
import {
  BatchDetachedError,
  BatchMismatchError,
  type BatchOptions,
  type BatchRunProgress,
  BatchShardError,
  type ConnectedOnboardingClient,
  InvalidInputError,
} from '../../client/index.js';
import { counted, countedItems, formatCount } from '../../contract/counted.js';
import { CliError, EXIT } from '../shared/exit.js';
import { printJson, printNotice } from '../shared/output.js';
import { outputProblem, untilInterrupted } from '../shared/signals.js';
import { attachCommand } from './attach-command.js';
import { type Format, isNdjsonName } from './list-rows.js';
import type { ListCommandOptions } from './options.js';
import { progressDisplay } from './progress-bar.js';
import { type Columns, NO_RESULTS, openResults, type Results } from './results.js';
import { type ListResult, type Noun, printSummary, Summary } from './summary.js';

/** How a command runs its list: options that it passes on. */
export type RunOptions = Pick<
  BatchOptions,
  'batchId' | 'retryFailed' | 'taskQueue' | 'window' | 'total' | 'signal' | 'onProgress' | 'progressIntervalMs'
>;

/** A checked list that a command runs. */
export interface ListRun<Result extends ListResult> {
  /** As the user named it. */
  file: string;
  noun: Noun;
  batchId: string;
  /** Number of items. */
  count: number;
  /** Rows that were skipped. */
  invalid: number;
  columns: Columns<Result>;
  /** What to do if the batch that is resumed is not known. */
  ifUnknown?: string;
  options: ListCommandOptions;
  detach: AbortController;
  start(client: ConnectedOnboardingClient, options: RunOptions): AsyncIterable<Result>;
}

/** @returns a controller that is aborted by Ctrl-C, or when the reader of stdout is gone or its disk is full */
export function detachWhenInterrupted(): AbortController {
  const detach = new AbortController();
  void untilInterrupted().then(() => detach.abort());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') printNotice(outputProblem(error));
    detach.abort();
  });
  return detach;
}

/** Runs a list, writes its results and prints a summary. */
export async function runList<Result extends ListResult>(
  client: ConnectedOnboardingClient,
  run: ListRun<Result>,
): Promise<void> {
  const { file, noun, batchId, columns, options } = run;
  if (options.resume && (await lastKnownShard(client.temporal, batchId)) < 0) {
    const advice = run.ifUnknown && options.batchId === undefined ? ` ${run.ifUnknown}` : '';
    throw new CliError(`Batch ${batchId}: no such batch is known in this namespace.${advice}`, EXIT.notFound);
  }
  const { out, raw } = options;
  const results: Results<Result> =
    out === undefined ? NO_RESULTS : await openResults({ out, format: outFormat(options), input: file, raw, columns });
  const summary = new Summary(batchId, noun, run);
  try {
    await takeAll(client, run, results, summary);
    await results.finish();
  } catch (error) {
    throw earlyEnd(error, run, summary);
  } finally {
    await results.discard();
  }
  printSummary(summary, options);
  if (summary.failed + summary.stopped > 0) {
    process.exitCode = EXIT.someFailed;
    const what = summary.failed > 0 ? `Retry the failed ${noun}` : CONTINUE[noun];
    printNotice(`${what}:\n  ${attachCommand(batchId, ['--retry-failed'])}`);
  }
}

const CONTINUE = {
  sessions: 'Continue with the sessions that were stopped',
  people: 'Continue with the people who were stopped',
} as const satisfies Record<Noun, string>;

async function takeAll<Result extends ListResult>(
  client: ConnectedOnboardingClient,
  { noun, batchId, count, options, detach, start }: ListRun<Result>,
  results: Results<Result>,
  summary: Summary,
): Promise<void> {
  printNotice(`Batch ${batchId}: ${countedItems(count, noun)}`);
  const display = progressDisplay(count);
  const { taskQueue, window, retryFailed } = options;
  const onProgress = (progress: BatchRunProgress) => {
    summary.progress = progress;
    display.show(progress);
  };
  try {
    const items = start(client, {
      batchId,
      retryFailed,
      ...(taskQueue ? { taskQueue } : {}),
      ...(window ? { window } : {}),
      total: count,
      signal: detach.signal,
      onProgress,
      progressIntervalMs: display.interval,
    });
    for await (const item of items) {
      summary.add(item);
      await results.add(item);
    }
  } finally {
    display.stop();
  }
}

/** Converts the error of a run that ended early, without results, into a message. */
function earlyEnd(
  error: unknown,
  run: Pick<ListRun<never>, 'noun' | 'batchId' | 'count' | 'options' | 'file'>,
  summary: Summary,
): unknown {
  const { noun, batchId, count, options, file } = run;
  if (error instanceof BatchMismatchError || error instanceof InvalidInputError) return new CliError(error.message);
  const attach = `Attach again${file === '-' ? ', with the same input' : ''}:\n  ${attachCommand(batchId, ['--resume'])}`;
  if (error instanceof BatchShardError) return new CliError(`${error.message}\n${attach}`, EXIT.pending);
  if (!(error instanceof BatchDetachedError)) {
    if (summary.progress?.handedOver) printNotice(`Started ${noun} continue on the server. ${attach}`);
    return error;
  }
  const { handedOver } = error;
  if (options.json)
    printJson({ ...summary.asJson(), interrupted: true, handedOver, notHandedOver: count - handedOver });
  if (handedOver === 0) return new CliError('Interrupted. Nothing was started.', EXIT.pending);
  const known = summary.progress
    ? `, ${formatCount(summary.progress.done + summary.progress.failed)} of them done or failed so far`
    : '';
  const left =
    handedOver < count
      ? `${counted(count - handedOver, 'was', 'were')} not started. Attach again to start the rest.`
      : 'All were started.';
  return new CliError(
    `Detached. The batch continues on the server with ${formatCount(handedOver)} of ${countedItems(count, noun)}${known}.\n` +
      `${left}\n${options.out ? 'No results were written. ' : ''}${attach}`,
    EXIT.pending,
  );
}

function outFormat({ out, outFormat }: ListCommandOptions): Format {
  return outFormat ?? (isNdjsonName(out ?? '') ? 'ndjson' : 'csv');
}
