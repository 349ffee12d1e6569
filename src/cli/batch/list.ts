import { CliError, EXIT } from '../shared/exit.js';
import { printNotice } from '../shared/output.js';
import { type CheckedList, checkList } from './check.js';
import { type Format, formatOf } from './list-rows.js';
import { formatCount } from './progress-bar.js';
import type { Source } from './source.js';

/** Reads and checks the whole list before anything starts. */
export async function checkedList(
  source: Source,
  format: Format | undefined,
  signal: AbortSignal,
): Promise<CheckedList> {
  try {
    return await checkList(source, format ?? (await formatOf(source)), signal, printNotice);
  } catch (error) {
    if (signal.aborted) throw new CliError('Interrupted. Nothing was started.', EXIT.pending);
    throw error;
  }
}

/** @throws CliError if rows are invalid and `--skip-invalid` is not set, or no session is left */
export function refuseInvalid(list: CheckedList, skipInvalid: boolean): void {
  const { sessions, invalid, sharedTokens, expired } = list;
  if (expired.count > 0) {
    printNotice(
      `${formatCount(expired.count)} tokens have expired, the first on line ${expired.firstLine}: ` +
        'their sessions fail unless they are already completed or the worker has a token source.',
    );
  }
  if (sharedTokens > 0) {
    // Refused even with --skip-invalid, because it is unknown which row is wrong, or whether a whole column is shifted.
    const rows = sharedTokens === 1 ? '1 row has' : `${formatCount(sharedTokens)} rows have`;
    throw new CliError(
      `${rows} the token of another session, which would swap verdicts, so nothing was started. Correct the list: each session has its own token.`,
    );
  }
  if (invalid > 0 && !skipInvalid) {
    const rows = invalid === 1 ? '1 row is' : `${formatCount(invalid)} rows are`;
    throw new CliError(`${rows} invalid, so nothing was started. Correct them, or skip them with --skip-invalid.`);
  }
  if (sessions === 0) throw new CliError('The list contains no session.');
}
