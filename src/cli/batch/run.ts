import { completeBatch } from '../../client/index.js';
import { counted } from '../../contract/counted.js';
import { type BatchPlan, checkBatchId, checkBatchPlan } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { CliError, inputProblem } from '../shared/exit.js';
import { withClient } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import type { CheckedList } from './check.js';
import { checkedList, refuseInvalid } from './list.js';
import type { BatchCommandOptions } from './options.js';
import { COLUMNS } from './results.js';
import { detachWhenInterrupted, runList } from './run-list.js';
import { openSource } from './source.js';

export async function runBatch(file: string, options: BatchCommandOptions): Promise<void> {
  const plan = checkedPlan(options);
  const detach = detachWhenInterrupted();
  const source = await openSource(file, detach.signal);
  try {
    const list = await checkedList(source, options.format, detach.signal);
    refuseInvalid(list, options.skipInvalid);
    const batchId = options.batchId ?? list.batchId;
    if (options.dryRun) dryRun(list, batchId, options);
    else {
      const { sessions: count, invalid } = list;
      const { verifyFirst } = options;
      const run = { file, noun: 'sessions', batchId, count, invalid, columns: COLUMNS, options, detach } as const;
      await withClient(options, (client) =>
        runList(client, {
          ...run,
          start: (host, how) => completeBatch(host, list.read(), { plan, ...omitUndefined({ verifyFirst }), ...how }),
        }),
      );
    }
  } finally {
    await source.close();
  }
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
      withoutToken > 0
        ? `${counted(withoutToken, 'session has no token and needs', 'sessions have no token and need')} the worker's token source. `
        : '';
    process.stdout.write(`${counted(sessions, 'session')}, batch ${batchId}. ${tokens}Nothing was started.\n`);
  }
}
