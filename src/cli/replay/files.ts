import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RecordedHistory } from '../../worker/replay.js';
import { CliError } from '../shared/exit.js';

/**
 * Reads histories as `temporal workflow show --output json` and the Web UI write them, one per file, when they are replayed.
 *
 * @param path a file, or a directory with `*.json` files
 */
export async function* historiesOf(path: string): AsyncGenerator<RecordedHistory> {
  for (const file of await filesOf(path)) {
    // A history does not contain its workflow id, so the file name identifies it.
    yield { workflowId: basename(file), runId: null, ...(await readHistory(file)) };
  }
}

async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CliError(`--file: ${path} does not exist`);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new CliError(`--file: ${path} has no file that ends in .json`);
  return names.map((name) => join(path, name));
}

interface HistoryFile {
  events?: { workflowExecutionStartedEventAttributes?: { workflowType?: { name?: string } } }[];
}

async function readHistory(file: string): Promise<Pick<RecordedHistory, 'type' | 'history'>> {
  let history: HistoryFile;
  try {
    history = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as NodeJS.ErrnoException).code;
    throw new CliError(`--file: ${file} cannot be read: ${why}`);
  }
  const type = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name;
  if (!type)
    throw new CliError(`--file: ${file} is not a history. Write one with: temporal workflow show --output json`);
  return { type, history };
}
