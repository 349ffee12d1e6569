import { counted } from '../../contract/counted.js';
import { CliError, EXIT } from '../shared/exit.js';
import { printNotice } from '../shared/output.js';
import { type CheckedList, checkList } from './check.js';
import { type Format, formatOf } from './list-rows.js';
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
      `${counted(expired.count, 'token has', 'tokens have')} expired, the first on line ${expired.firstLine}: ` +
        'the session fails unless it is already completed or the worker has a token source.',
    );
  }
  if (sharedTokens > 0) {
    // Refused even with --skip-invalid, because it is unknown which row is wrong, or whether a whole column is shifted.
    throw new CliError(
      `${counted(sharedTokens, 'row has', 'rows have')} the token of another session, which would swap verdicts, so nothing was started. Correct the list: each session has its own token.`,
    );
  }
  if (invalid > 0 && !skipInvalid) {
    const rows = counted(invalid, 'row is', 'rows are');
    throw new CliError(`${rows} invalid, so nothing was started. Correct the list, or use --skip-invalid.`);
  }
  if (sessions === 0) throw new CliError('The list contains no session.');
}
