import { readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { readCaptureConfig } from '../../config/index.js';
import { imageSources, inspectImage } from '../../images/index.js';
import { type Format, formatOf } from '../batch/list-rows.js';
import { openOutputFile } from '../batch/output-file.js';
import { duration, formatCount } from '../batch/progress-bar.js';
import { openSource, type Source } from '../batch/source.js';
import { CliError, configured, diskProblem, EXIT } from '../shared/exit.js';
import { printJson, printNotice, startProgress, writeOut } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';
import { type CheckedManifest, checkManifest } from './check.js';
import { shortestMs } from './duration.js';
import { type Pairing, pairFiles } from './pair.js';

/** The options of `capture`, as commander parses them. */
export interface CaptureCommandOptions {
  pair?: string;
  out?: string;
  images?: string;
  format?: Format;
  dryRun: boolean;
  json: boolean;
}

/** Writes a manifest of the people whose images are in a directory, and names every file that it leaves out. */
export async function pair(directory: string, out: string, json: boolean): Promise<void> {
  const { people, leftOver } = pairFiles(await filesIn(directory, leftOverNotice));
  for (const { file, reason } of leftOver) leftOverNotice(file, reason);
  if (people.length === 0) throw new CliError(`${directory} has no image named NAMEF with its person's name`);
  // Without escapes for spreadsheets: an apostrophe would become part of a name when the manifest is read.
  const columns = ['reference', 'front', 'back', 'selfie'];
  const text = stringify(people, { header: true, columns });
  if (out === '-') await writeOut(text);
  else await write(out, text);
  report({ people, leftOver }, out, json);
}

function leftOverNotice(file: string, reason: string): void {
  printNotice(`Left over: ${file} ${reason}`);
}

/** Files that begin with a dot belong to the system. */
async function filesIn(directory: string, onOther: (name: string, reason: string) => void): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const visible = entries.filter(({ name }) => !name.startsWith('.'));
    for (const entry of visible) if (entry.isDirectory()) onOther(`${entry.name}/`, 'is a directory');
    return visible.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    throw new CliError(`--pair: cannot read ${directory}: ${diskProblem(error)}`);
  }
}

async function write(out: string, text: string): Promise<void> {
  const file = await openOutputFile(out);
  try {
    await file.append(text);
    await file.commit();
  } finally {
    await file.discard();
  }
}

function report({ people, leftOver }: Pairing, out: string, json: boolean): void {
  const withoutBack = people.filter(({ back }) => !back).length;
  const withoutSelfie = people.filter(({ selfie }) => !selfie).length;
  if (json) printJson({ people: people.length, withoutBack, withoutSelfie, leftOver: leftOver.length });
  else {
    const parts = [
      `${formatCount(people.length)} people`,
      `${formatCount(withoutBack)} without back`,
      `${formatCount(withoutSelfie)} without selfie`,
      `${formatCount(leftOver.length)} files left over`,
    ];
    printNotice(`${parts.join(', ')}${out === '-' ? '' : `. Written to ${out}`}.`);
  }
}

/** Checks a manifest and its images, and sends nothing. */
export async function dryRun(file: string, options: CaptureCommandOptions): Promise<void> {
  const { images, format, json } = options;
  const config = configured(() => readCaptureConfig());
  const directory = resolve(images ?? (file === '-' ? '.' : dirname(file)));
  const sources = imageSources({ ...config, imageRoots: [directory, ...config.imageRoots] });
  const ending = new AbortController();
  void untilInterrupted().then(() => ending.abort());
  const source = await openSource(file, ending.signal);
  const progress = startProgress(`Checking ${source.name}`);
  let shownAt = Date.now();
  try {
    const checked = await checkManifest(source, format ?? (await formatOf(source)), {
      inspect: (image) => inspectImage(sources, image, { signal: ending.signal }),
      signal: ending.signal,
      printNotice,
      onProgress(rows) {
        if (Date.now() - shownAt < PROGRESS_MS) return;
        shownAt = Date.now();
        progress.show(`Checking ${source.name}: ${formatCount(rows)} people`);
      },
    });
    progress.stop();
    summarize(source, checked, shortestMs(checked.requests, config), json);
  } catch (error) {
    if (ending.signal.aborted) throw new CliError('Interrupted. Nothing was started.', EXIT.interrupted);
    throw error;
  } finally {
    progress.stop();
    await source.close();
    await Promise.all(sources.map((images) => images.close?.()));
  }
}

const PROGRESS_MS = 2_000;

/** @throws CliError if a row is invalid or none is left */
function summarize(source: Source, checked: CheckedManifest, atLeastMs: number, json: boolean): void {
  const { people, invalid, withoutBack, withoutSelfie, images, bytes, shared, requests } = checked;
  if (shared.count > 0) {
    const count = shared.count === 1 ? '1 image is' : `${formatCount(shared.count)} images are`;
    printNotice(`${count} used by more than one person, first on line ${shared.firstLine}. Check that this is meant.`);
  }
  if (json) {
    printJson({
      ...{ people, invalid, withoutBack, withoutSelfie, images, bytes, sharedImages: shared.count },
      ...{ documentRequests: requests.documents, faceRequests: requests.faces, atLeastMs, dryRun: true },
    });
  } else if (people > 0) {
    const megabytes = (bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 });
    const lines = [
      `${formatCount(people)} people, ${formatCount(withoutBack)} of them without back, ${formatCount(withoutSelfie)} without selfie.`,
      `${formatCount(images)} images, ${megabytes} MB.`,
      `At least ${duration(atLeastMs)}: ${formatCount(requests.documents)} requests about documents and ` +
        `${formatCount(requests.faces)} about faces at the configured rate limits. Nothing was started.`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (invalid > 0) {
    const rows = invalid === 1 ? '1 person is' : `${formatCount(invalid)} people are`;
    throw new CliError(`${rows} invalid. Correct ${source.name} or the images.`);
  }
  if (people === 0) throw new CliError(`${source.name} contains no person.`);
}
