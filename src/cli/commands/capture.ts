import type { Command } from 'commander';
import { withListOptions } from '../batch/list-options.js';
import { steer, steeringOf } from '../batch/steer.js';
import { type CaptureCommandOptions, withPersonOptions } from '../capture/options.js';
import { pair } from '../capture/pair-directory.js';
import { idOfPeople, runCapture } from '../capture/run.js';
import { CliError } from '../shared/exit.js';
import { withTemporalOptions } from '../shared/options.js';

export function define(command: Command): void {
  const words = { items: 'people', idFrom: 'the people', shards: '200 people' };
  withPersonOptions(withListOptions(withTemporalOptions(command), words))
    .argument('[manifest]', 'the people and their images, as CSV with a header or NDJSON; - reads stdin')
    .option('--images <directory>', "where the manifest's relative paths begin (default: the manifest's directory)")
    .option('--dry-run', 'check the manifest and every image, and print how long the uploads take', false)
    .option('--cancel-begun', 'with --stop: also cancel people who have begun', false)
    .option('--pair <directory>', 'write a manifest of the images in a directory to --out')
    .addHelpText('after', HELP)
    .action(capture);
}

const HELP = `
A manifest has the columns or fields reference, front, back and selfie, and if you like configurationId, countryCode and customFields.NAME.
An image is a path, or an address such as https://images.example/a.jpg or s3://bucket/a.jpg. Back and selfie may be empty. Workers read
the images themselves, so relative paths must be below their INCODE_IMAGE_ROOTS.

--pair finds NAMEF, NAMEB and NAMES with the extension of a JPEG or PNG, and names every file that it leaves out.
--dry-run names every problem with its line, and exits with 2 if there is one. INCODE_IMAGE_HOSTS and INCODE_IMAGE_BUCKETS allow
addresses, and INCODE_DOCUMENT_RATE_LIMIT, INCODE_FACE_RATE_LIMIT and INCODE_RATE_LIMIT_PER_ENDPOINT set the rate limits.

--ocr writes name, address, birth date and document number of every person in plain text. Anyone who can read the file can impersonate
them. Its mode is 600 and it is not encrypted: keep it on an encrypted disk, out of backups, and delete it as soon as you can.

Ctrl-C detaches: started people continue on the server, and the same command attaches to them again. A person whose workflow exists
already is attached to, so nobody gets a second session. The same list is the same batch. If an image at the same path was replaced since,
the person has the failure PersonDiffers instead of the old result: running a list again reads every image, and --resume reads none.
--retry-failed starts failed people again with another session, unless the workflow of the earlier session goes on or has completed. --stop starts nobody else: people who have begun go on, or are cancelled with --cancel-begun.

Exits with 6 if some people failed, if values could not be read, or if nothing was deleted that --purge names. Exits with 3 if it was
interrupted.

Examples:
  $ temporal-incode capture --pair images --out people.csv
  $ temporal-incode capture people.csv --images images --dry-run
  $ temporal-incode capture people.csv --images images --out results.csv
  $ temporal-incode capture people.csv --images images --out results.csv --retry-failed
  $ temporal-incode capture people.csv --images images --out results.csv --ocr ocr.csv
  $ temporal-incode capture people.csv --status`;

async function capture(manifest: string | undefined, options: CaptureCommandOptions): Promise<void> {
  const { pair: directory, out, json } = options;
  const steering = steeringOf(options);
  if (directory !== undefined) {
    if (manifest !== undefined || options.dryRun || steering) {
      throw new CliError('--pair takes no manifest, and no --dry-run or other action');
    }
    if (out === undefined) throw new CliError('Where to? Name a file with --out, or - for stdout');
    return pair(directory, out, json);
  }
  if (steering) {
    return steer(steering, manifest, options, (source, file, signal) => idOfPeople(source, file, options, signal));
  }
  if (manifest === undefined) throw new CliError('Which manifest? Name it, or - for stdin');
  return runCapture(manifest, options);
}
