import { type Command, Option } from 'commander';
import { CliError } from '../shared/exit.js';

export const FORMATS = ['csv', 'ndjson'];

interface Words {
  /** What the list has, such as `sessions`. */
  items: string;
  /** What the batch id is derived from. */
  idFrom: string;
  /** What a shard has. */
  shards: string;
}

/** The options of every command that runs a list. */
export function withListOptions(command: Command, { items, idFrom, shards }: Words): Command {
  return command
    .addOption(
      new Option('--format <format>', 'format of the file (default: by its name, or its first character)').choices(
        FORMATS,
      ),
    )
    .option(
      '--out <file>',
      'file for the results, written when all are complete; - for stdout (default: only a summary)',
    )
    .addOption(
      new Option('--out-format <format>', 'format of the results (default: by the name, or csv)').choices(FORMATS),
    )
    .option('--raw', 'write CSV cells unchanged, even if a spreadsheet would run them as formulas', false)
    .option('--batch-id <id>', `name of the batch (default: derived from ${idFrom})`)
    .option('--resume', 'attach to an existing batch; exit with 4 if there is none', false)
    .option('--retry-failed', `retry only the failed ${items}`, false)
    .option('--skip-invalid', 'skip invalid rows', false)
    .option('--window <shards>', `shards of ${shards} on the server at the same time (default: 16)`, windowOf)
    .option('--status', 'only print the state of the batch', false)
    .option('--stop', 'stop the batch; calls in flight complete and results are kept', false)
    .option('--pause', `begin no more ${items}`, false)
    .option('--unpause', 'continue after --pause', false)
    .option('--json', 'print the summary as JSON', false);
}

function windowOf(value: string): number {
  const count = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (count < 1) throw new CliError(`--window must be a whole number from 1, not "${value}"`);
  return count;
}
