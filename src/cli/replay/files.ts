import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RecordedHistory } from '../../worker/replay.js';
import { CliError } from '../shared/exit.js';

/**
 * Histories as `temporal workflow show --output json` and the Web UI write them, one a file, read when they are replayed.
 *
 * @param path a file, or a directory whose `*.json` are taken
 */
export async function* historiesOf(path: string): AsyncGenerator<RecordedHistory> {
  for (const file of await filesOf(path)) {
    // Its own workflow id stands in no history.
    yield { workflowId: basename(file), runId: null, ...(await readHistory(file)) };
  }
}

async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CliError(`--file: ${path} is not there`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new CliError(`--file: ${path} has no file that ends in .json`);
  return names.map((name) => join(path, name));
}

interface Told {
  events?: { workflowExecutionStartedEventAttributes?: { workflowType?: { name?: string } } }[];
}

async function readHistory(file: string): Promise<Pick<RecordedHistory, 'type' | 'history'>> {
  let history: Told;
  try {
    history = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is no JSON' : (error as NodeJS.ErrnoException).code;
    throw new CliError(`--file: ${file} cannot be read: ${why}`);
  }
  const type = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name;
  if (!type) throw new CliError(`--file: ${file} is no history: temporal workflow show --output json writes one`);
  return { type, history };
}
