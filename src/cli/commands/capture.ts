import { type Command, Option } from 'commander';
import { type CaptureCommandOptions, dryRun, pair } from '../capture/run.js';
import { CliError } from '../shared/exit.js';

export function define(command: Command): void {
  command
    .argument('[manifest]', 'the people and their images, as CSV with a header or NDJSON; - reads stdin')
    .option('--dry-run', 'check the manifest and every image, and print how long the uploads take', false)
    .option('--images <directory>', "where the manifest's relative paths begin (default: the manifest's directory)")
    .addOption(
      new Option('--format <format>', 'format of the manifest (default: by its name, or its first character)').choices([
        'csv',
        'ndjson',
      ]),
    )
    .option('--pair <directory>', 'write a manifest of the images in a directory, with --out')
    .option('--out <file>', 'where --pair writes the manifest; - for stdout')
    .option('--json', 'print the summary as JSON', false)
    .addHelpText('after', HELP)
    .action(capture);
}

const HELP = `
A manifest has the columns or fields reference, front, back and selfie, and if you like configurationId, countryCode and customFields.NAME.
An image is a path, or an address such as https://images.example/a.jpg or s3://bucket/a.jpg. Back and selfie may be empty.

--pair finds NAMEF, NAMEB and NAMES with the extension of a JPEG or PNG, and names every file that it leaves out.
--dry-run names every problem with its line, and exits with 2 if there is one. INCODE_IMAGE_HOSTS and INCODE_IMAGE_BUCKETS allow
addresses, and INCODE_DOCUMENT_RATE_LIMIT and INCODE_FACE_RATE_LIMIT set the rate limits.

Examples:
  $ temporal-incode capture --pair images --out people.csv
  $ temporal-incode capture people.csv --images images --dry-run`;

async function capture(manifest: string | undefined, options: CaptureCommandOptions): Promise<void> {
  const { pair: directory, out, json } = options;
  if (directory !== undefined) {
    if (manifest !== undefined || options.dryRun) throw new CliError('--pair takes no manifest and no --dry-run');
    if (out === undefined) throw new CliError('Where to? Name a file with --out, or - for stdout');
    if (out === '-' && json) throw new CliError('--out - and --json would both write to stdout');
    return pair(directory, out, json);
  }
  if (out !== undefined) throw new CliError('--out belongs to --pair');
  if (!options.dryRun) throw new CliError('Check a manifest with --dry-run, or write one with --pair');
  if (manifest === undefined) throw new CliError('Which manifest? Name it, or - for stdin');
  return dryRun(manifest, options);
}
