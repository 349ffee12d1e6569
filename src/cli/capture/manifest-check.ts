import { dirname, resolve } from 'node:path';
import { type CaptureConfig, readCaptureConfig } from '../../config/index.js';
import type { ImageReference } from '../../contract/capture.js';
import { counted, countedItems } from '../../contract/counted.js';
import { type ImageSource, imageSources, inspectImage } from '../../images/index.js';
import { type Format, formatOf } from '../batch/list-rows.js';
import type { Source } from '../batch/source.js';
import { CliError, configured, EXIT } from '../shared/exit.js';
import { printNotice, startProgress } from '../shared/output.js';
import { type CheckedManifest, type CheckOptions, checkManifest } from './check.js';

/** Where this machine reads images, and the rate limits. */
export interface LocalImages {
  config: CaptureConfig;
  /** Where relative paths of the manifest begin. */
  directory: string;
  sources: ImageSource[];
}

/** @param file the manifest; its relative paths begin at its directory unless `images` names another one */
export function localImages(file: string, images: string | undefined): LocalImages {
  const config = configured(() => readCaptureConfig());
  const directory = resolve(images ?? (file === '-' ? '.' : dirname(file)));
  return { config, directory, sources: imageSources({ ...config, imageRoots: [directory, ...config.imageRoots] }) };
}

export async function closeImages({ sources }: LocalImages): Promise<void> {
  await Promise.all(sources.map((images) => images.close?.()));
}

const PROGRESS_MS = 2_000;

/** Checks a manifest and its images, and shows the progress. @throws CliError if it is interrupted */
export async function checkedPeople(
  source: Source,
  format: Format | undefined,
  { sources }: LocalImages,
  signal: AbortSignal,
): Promise<CheckedManifest> {
  return checkedRows(source, format, signal, (image) => inspectImage(sources, image, { signal }));
}

/** Checks the rows of a manifest only, because the images of a batch that exists may be gone. */
export function uncheckedImages(
  source: Source,
  format: Format | undefined,
  signal: AbortSignal,
): Promise<CheckedManifest> {
  return checkedRows(source, format, signal, async (_: ImageReference) => ({
    type: 'jpeg',
    width: 0,
    height: 0,
    bytes: 0,
  }));
}

async function checkedRows(
  source: Source,
  format: Format | undefined,
  signal: AbortSignal,
  inspect: CheckOptions['inspect'],
): Promise<CheckedManifest> {
  const progress = startProgress(`Checking ${source.name}`);
  let shownAt = Date.now();
  try {
    return await checkManifest(source, format ?? (await formatOf(source)), {
      inspect,
      signal,
      printNotice,
      onProgress(rows) {
        if (Date.now() - shownAt < PROGRESS_MS) return;
        shownAt = Date.now();
        progress.show(`Checking ${source.name}: ${countedItems(rows, 'people')}`);
      },
    });
  } catch (error) {
    if (signal.aborted) throw new CliError('Interrupted. Nothing was started.', EXIT.interrupted);
    throw error;
  } finally {
    progress.stop();
  }
}

/** @throws CliError if rows are invalid and not skipped, or no person is left */
export function refuseInvalidPeople(
  source: Source,
  { people, invalid, badImages, usable }: CheckedManifest,
  { directory }: LocalImages,
  skipInvalid: boolean,
): void {
  if (invalid > 0 && !skipInvalid) {
    const rows = counted(invalid, 'person is', 'people are');
    const hint =
      badImages > 0 && usable === 0
        ? ` No image can be read. Relative paths begin at ${directory}: --images names another directory.`
        : '';
    throw new CliError(`${rows} invalid. Correct ${source.name} or the images.${hint}`);
  }
  if (people === 0) throw new CliError(`${source.name} contains no person.`);
}

/** A wrong path would give one person another person's verdict. */
export function warnOfSharedImages({ shared }: CheckedManifest): void {
  if (shared.first === null) return;
  const count = counted(shared.count, 'image is', 'images are');
  const { line, side, uri, earlierLine } = shared.first;
  const first = `the first is the ${side} on line ${line}, ${uri}, which is on line ${earlierLine} too`;
  printNotice(`${count} used by more than one person; ${first}. Check that this is meant.`);
}
