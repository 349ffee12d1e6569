import type { Readable } from 'node:stream';
import type { BatchResult } from '../../client/batch/results.js';
import type { BatchItem, CaptureItem } from '../../client/index.js';
import { InvalidInputError } from '../../contract/index.js';
import type { ListFormat, ListTools, ReceivedList } from '../../gateway/lists.js';
import { checkList } from '../batch/check.js';
import { COLUMNS, csv } from '../batch/results.js';
import { spooled } from '../batch/source.js';
import { PEOPLE_COLUMNS } from '../capture/run.js';
import { CliError } from '../shared/exit.js';

/** Further problems are left out of an answer. */
const MAX_PROBLEMS = 100;

/** Lists of the gateway, read and written as those of the commands `batch` and `capture`. */
export const gatewayLists: ListTools = {
  receive,
  csv: (of) => {
    const write = of === 'people' ? csv<CaptureItem>(false, PEOPLE_COLUMNS) : csv<BatchItem>(false, COLUMNS);
    return write as (items: BatchResult[]) => string;
  },
};

async function receive(input: Readable, format: ListFormat, signal: AbortSignal): Promise<ReceivedList> {
  const source = await spooled(input, 'The list', signal);
  try {
    const problems: string[] = [];
    const list = await checkList(source, format, signal, (line) => {
      if (problems.length < MAX_PROBLEMS) problems.push(line);
    });
    const { sessions, batchId, invalid, sharedTokens } = list;
    const isRefused = invalid > 0 || sharedTokens > 0 || sessions === 0;
    return { sessions, batchId, problems, isRefused, read: () => list.read(), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error instanceof CliError ? new InvalidInputError('list', `cannot be read. ${error.message}`) : error;
  }
}
