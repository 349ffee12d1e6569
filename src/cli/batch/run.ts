import { lastKnownShard } from '../../client/batch/list.js';
import {
  type Batch,
  BatchDetachedError,
  BatchMismatchError,
  type BatchRunProgress,
  BatchShardError,
  type ConnectedOnboardingClient,
  completeBatch,
  InvalidInputError,
} from '../../client/index.js';
import { type BatchPlan, checkBatchId, checkBatchPlan } from '../../contract/index.js';
import { CliError, EXIT, inputProblem } from '../shared/exit.js';
import { withClient } from '../shared/options.js';
import { printJson, printNotice } from '../shared/output.js';
import { outputProblem, untilInterrupted } from '../shared/signals.js';
import { attachCommand } from './attach-command.js';
import type { CheckedList } from './check.js';
import { checkedList, refuseInvalid } from './list.js';
import type { Format } from './list-rows.js';
import type { BatchCommandOptions } from './options.js';
import { formatCount, progressDisplay } from './progress-bar.js';
import { NO_RESULTS, openResults, type Results } from './results.js';
import { openSource } from './source.js';
import { printSummary, Summary } from './summary.js';

export async function runBatch(file: string, options: BatchCommandOptions): Promise<void> {
  const plan = checkedPlan(options);
  const detach = new AbortController();
  void untilInterrupted().then(() => detach.abort());
  // Detach when the reader of stdout is gone or its disk is full.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') printNotice(outputProblem(error));
    detach.abort();
  });
  const source = await openSource(file, detach.signal);
  try {
    const list = await checkedList(source, options.format, detach.signal);
    refuseInvalid(list, options.skipInvalid);
    const batchId = options.batchId ?? list.batchId;
    if (options.dryRun) dryRun(list, batchId, options);
    else await withClient(options, (client) => complete(client, list, { file, batchId, plan, options, detach }));
  } finally {
    await source.close();
  }
}

interface BatchRun {
  file: string;
  batchId: string;
  plan: BatchPlan;
  options: BatchCommandOptions;
  detach: AbortController;
}

/** @throws CliError */
function checkedPlan({ close, score, scoreDeadline, batchId }: BatchCommandOptions): BatchPlan {
  try {
    if (batchId !== undefined) checkBatchId(batchId);
    return checkBatchPlan({ close, score, ...(scoreDeadline ? { scoreDeadline } : {}) });
  } catch (error) {
    throw new CliError(inputProblem(error));
  }
}

function dryRun(list: CheckedList, batchId: string, { json }: BatchCommandOptions): void {
  const { sessions, invalid, withoutToken } = list;
  if (json) printJson({ batchId, sessions, invalid, withoutToken, dryRun: true });
  else {
    const tokens =
      withoutToken > 0 ? `${formatCount(withoutToken)} without a token, which need the worker's token source. ` : '';
    process.stdout.write(`${formatCount(sessions)} sessions, batch ${batchId}. ${tokens}Nothing was started.\n`);
  }
}

async function complete(client: ConnectedOnboardingClient, list: CheckedList, run: BatchRun): Promise<void> {
  const { file, batchId, options } = run;
  if (options.resume && (await lastKnownShard(client.temporal, batchId)) < 0) {
    throw new CliError(`Batch ${batchId}: no such batch is known in this namespace.`, EXIT.notFound);
  }
  const { out, raw } = options;
  const results =
    out === undefined ? NO_RESULTS : await openResults({ out, format: outFormat(options), input: file, raw });
  const summary = new Summary(batchId, list);
  try {
    await takeAll(client, list, run, results, summary);
    await results.finish();
  } catch (error) {
    throw earlyEnd(error, list, run, summary);
  } finally {
    await results.discard();
  }
  printSummary(summary, options);
  if (summary.failed > 0) {
    process.exitCode = EXIT.someFailed;
    printNotice(`Retry the failed sessions:\n  ${attachCommand(batchId, ['--retry-failed'])}`);
  }
}

async function takeAll(
  client: ConnectedOnboardingClient,
  list: CheckedList,
  { batchId, plan, options, detach }: BatchRun,
  results: Results,
  summary: Summary,
): Promise<void> {
  printNotice(`Batch ${batchId}: ${formatCount(list.sessions)} sessions`);
  const display = progressDisplay(list.sessions);
  const { taskQueue, window, retryFailed, verifyFirst } = options;
  const onProgress = (progress: BatchRunProgress) => {
    summary.progress = progress;
    display.show(progress);
  };
  try {
    const batch: Batch = completeBatch(client, list.read(), {
      batchId,
      plan,
      retryFailed,
      ...(verifyFirst ? { verifyFirst } : {}),
      ...(taskQueue ? { taskQueue } : {}),
      ...(window ? { window } : {}),
      total: list.sessions,
      signal: detach.signal,
      onProgress,
      progressIntervalMs: display.interval,
    });
    for await (const item of batch) {
      summary.add(item);
      await results.add(item);
    }
  } finally {
    display.stop();
  }
}

/** Converts the error of a run that ended early, without results, into a message. */
function earlyEnd(error: unknown, { sessions }: CheckedList, run: BatchRun, summary: Summary): unknown {
  const { batchId, options, file } = run;
  if (error instanceof BatchMismatchError || error instanceof InvalidInputError) return new CliError(error.message);
  const attach = `Attach again${file === '-' ? ', with the same input' : ''}:\n  ${attachCommand(batchId, ['--resume'])}`;
  if (error instanceof BatchShardError) return new CliError(`${error.message}\n${attach}`, EXIT.pending);
  if (!(error instanceof BatchDetachedError)) {
    if (summary.progress?.handedOver) printNotice(`Started sessions continue on the server. ${attach}`);
    return error;
  }
  const { handedOver } = error;
  if (options.json)
    printJson({ ...summary.asJson(), interrupted: true, handedOver, notHandedOver: sessions - handedOver });
  if (handedOver === 0) return new CliError('Interrupted. Nothing was started.', EXIT.pending);
  const known = summary.progress
    ? `, ${formatCount(summary.progress.done + summary.progress.failed)} of them done or failed so far`
    : '';
  const left =
    handedOver < sessions
      ? `${formatCount(sessions - handedOver)} were not started and stay incomplete until you attach again.`
      : 'All were started.';
  return new CliError(
    `Detached. The batch continues on the server with ${formatCount(handedOver)} of ${formatCount(sessions)} sessions${known}.\n` +
      `${left}\n${options.out ? 'No results were written. ' : ''}${attach}`,
    EXIT.pending,
  );
}

function outFormat({ out, outFormat }: BatchCommandOptions): Format {
  return outFormat ?? (/\.(ndjson|jsonl)$/i.test(out ?? '') ? 'ndjson' : 'csv');
}
