import { setFlagsFromString } from 'node:v8';
import { type CaptureItem, captureBatch } from '../../client/index.js';
import { type CapturePerson, IMAGE_SIDES, type ImageReference, PURGED_AFTER } from '../../contract/capture.js';
import type { GovernmentResult } from '../../contract/capture-workflow.js';
import { counted, countedItems, formatCount } from '../../contract/counted.js';
import { ImageError } from '../../images/errors.js';
import { type ImageSource, pinImage } from '../../images/index.js';
import { duration } from '../batch/progress-bar.js';
import type { Columns } from '../batch/results.js';
import { detachWhenInterrupted, runList } from '../batch/run-list.js';
import { openSource, type Source } from '../batch/source.js';
import { checkDirectory } from '../shared/directory.js';
import { EXIT } from '../shared/exit.js';
import { withMeaning } from '../shared/incode-codes.js';
import { withClient } from '../shared/options.js';
import { printJson, printNotice } from '../shared/output.js';
import type { CheckedManifest } from './check.js';
import { shortestMs } from './duration.js';
import {
  checkedPeople,
  closeImages,
  type LocalImages,
  localImages,
  refuseInvalidPeople,
  uncheckedImages,
  warnOfSharedImages,
} from './manifest-check.js';
import { type CaptureCommandOptions, planOfPeople } from './options.js';
import { openValuesFiles } from './values-file.js';

/** Checks a manifest and its images, and onboards the people unless it is a dry run. */
export async function runCapture(file: string, options: CaptureCommandOptions): Promise<void> {
  keepMemorySmall();
  const plan = planOfPeople(options);
  const images = localImages(file, options.images);
  const detach = detachWhenInterrupted();
  const { signal } = detach;
  const source = await openSource(file, signal);
  try {
    const checked = await readManifest(source, options, options.resume, images, signal);
    warnOfSharedImages(checked);
    const batchId = options.batchId ?? checked.batchId;
    if (options.dryRun) summarize({ ...checked, batchId }, shortestMs(checked, images.config), options.json);
    refuseInvalidPeople(source, checked, images, options.skipInvalid);
    if (options.dryRun) return;
    if (!options.resume && options.batchId === undefined) sayWhoIsLeftOut(checked);
    const { people: count, invalid } = checked;
    const run = {
      file,
      noun: 'people',
      batchId,
      count,
      invalid,
      columns: PEOPLE_COLUMNS,
      options,
      detach,
      ifUnknown: IF_UNKNOWN,
    } as const;
    const { out: results, scores, ocr, raw } = options;
    const values = await openValuesFiles({ results, scores, ocr }, { input: file, raw, signal });
    let kept = 0;
    const watched = async function* (items: AsyncIterable<CaptureItem>): AsyncGenerator<CaptureItem> {
      for await (const item of items) {
        await values.add(item);
        if (isKept(item)) kept += 1;
        yield item;
      }
    };
    const beforeStart = (person: CapturePerson) => withDigests(person, images.sources, signal, isFile);
    const beforeAttach = (person: CapturePerson) => withDigests(person, images.sources, signal);
    // The images of a batch that is resumed may be gone.
    const before = options.resume ? { beforeStart } : { beforeStart, beforeAttach };
    try {
      await withClient(options, (client) =>
        runList(client, {
          ...run,
          start: (host, how) => watched(captureBatch(host, checked.read(), { plan, ...before, ...how })),
        }),
      );
      if (kept > 0) warnOfKept(kept);
      await values.finish();
    } finally {
      await values.discard();
    }
  } finally {
    await source.close();
    await closeImages(images);
  }
}

/**
 * Reading images and rows leaves much garbage. By default V8 makes room for 48 MB of it before it collects any. The room no longer grows, which
 * costs little time, because the command waits for images and for Temporal.
 */
function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Whether the plan wanted something deleted, and it was not. */
function isKept({ outcome, notPurged }: CaptureItem): boolean {
  return notPurged !== undefined && outcome !== undefined && PURGED_AFTER.includes(outcome);
}

function warnOfKept(people: number): void {
  process.exitCode = EXIT.someFailed;
  printNotice(`Nothing was deleted at Incode for ${countedItems(people, 'people')}: the column purged says why.`);
}

/** @returns the id of a list's batch */
export async function idOfPeople(
  source: Source,
  file: string,
  options: CaptureCommandOptions,
  signal: AbortSignal,
): Promise<{ batchId: string; ifUnknown: string }> {
  const images = localImages(file, options.images);
  try {
    const { batchId } = await readManifest(source, options, true, images, signal);
    return { batchId, ifUnknown: IF_UNKNOWN };
  } finally {
    await closeImages(images);
  }
}

const IF_UNKNOWN =
  'If it was started without people whose images cannot be used, add --skip-invalid, or --batch-id with the id that was printed then.';

/**
 * The images of a batch that exists may be gone. But with --skip-invalid they say which people the batch has.
 *
 * @param exists whether the batch does
 */
async function readManifest(
  source: Source,
  { format, images: directory, skipInvalid }: CaptureCommandOptions,
  exists: boolean,
  images: LocalImages,
  signal: AbortSignal,
): Promise<CheckedManifest> {
  if (exists && !skipInvalid) return uncheckedImages(source, format, signal);
  // Otherwise every image would be named as missing.
  if (directory !== undefined) await checkDirectory('--images', directory);
  return checkedPeople(source, format, images, signal);
}

function sayWhoIsLeftOut({ batchId, badImages }: CheckedManifest): void {
  if (badImages === 0) return;
  printNotice(
    `Batch ${batchId} leaves out ${countedItems(badImages, 'people')} whose images cannot be used. ` +
      `Add --skip-invalid or --batch-id ${batchId} to --status, --stop, --pause, --unpause and --resume.`,
  );
}

/** A worker may have another directory at the same place. Other addresses are the same everywhere. */
const isFile = ({ uri }: ImageReference) => uri.startsWith('file:');

/** Adds the digests of images. */
async function withDigests(
  person: CapturePerson,
  sources: ImageSource[],
  signal: AbortSignal,
  isWanted: (image: ImageReference) => boolean = () => true,
): Promise<CapturePerson> {
  const pinned = { ...person };
  for (const side of IMAGE_SIDES) {
    const image = person[side];
    if (!image || !isWanted(image)) continue;
    try {
      pinned[side] = await pinImage(sources, image, { signal });
    } catch (error) {
      // The person's row says it: the worker finds out too, or the image was not compared.
      if (!(error instanceof ImageError)) throw error;
    }
  }
  return pinned;
}

/** The columns of the results. */
export const PEOPLE_COLUMNS: Columns<CaptureItem> = {
  reference: ({ reference }) => reference,
  interviewId: ({ interviewId }) => interviewId,
  outcome: ({ outcome }) => outcome,
  reason: ({ reason }) => reason,
  scoreStatus: ({ score }) => score?.status,
  scoreValue: ({ score }) => score?.value,
  front: ({ images }) => images?.front && withMeaning(images.front),
  back: ({ images }) => images?.back && withMeaning(images.back),
  selfie: ({ images }) => images?.selfie && withMeaning(images.selfie),
  faceConfidence: ({ face }) => face && String(face.confidence ?? codeInWords(face.code)),
  government: ({ government }) => government && governmentInWords(government),
  watchlistHits: ({ watchlist }) => watchlist && String(watchlist.hits ?? 'unknown'),
  notCompared: ({ notCompared }) => notCompared?.join(' '),
  suspectedOrphans: ({ suspectedOrphans = [], moreSuspectedOrphans }) => {
    const ids = suspectedOrphans.map(({ externalCustomerId, interviewId }) => interviewId ?? externalCustomerId);
    return [...ids, ...(moreSuspectedOrphans ? [`and ${moreSuspectedOrphans} more`] : [])].join(' ');
  },
  purged: ({ purged, notPurged }) => notPurged ?? purged,
  failureType: ({ failure }) => failure?.type,
  failureMessage: ({ failure }) => failure?.message,
};

function codeInWords(code: number | null): string {
  return code === null ? 'unknown' : `code ${code}`;
}

function governmentInWords({ valid, statusCode }: GovernmentResult): string {
  const answer = valid === null ? 'unknown' : valid ? 'valid' : 'invalid';
  return statusCode ? `${answer} ${statusCode}` : answer;
}

/** Prints what a dry run has found. */
function summarize(checked: CheckedManifest, atLeastMs: number, json: boolean): void {
  const { batchId, people, invalid, withoutBack, withoutSelfie, withoutConfigurationId, images, bytes } = checked;
  const { shared, requests } = checked;
  if (json) {
    printJson({
      ...{ batchId, people, invalid, withoutBack, withoutSelfie, withoutConfigurationId, images, bytes },
      sharedImages: shared.count,
      ...{ documentRequests: requests.documents, faceRequests: requests.faces, atLeastMs, dryRun: true },
    });
  } else if (people > 0) {
    const lines = [
      `${countedItems(people, 'people')}, ${formatCount(withoutBack)} of them without back, ${formatCount(withoutSelfie)} without selfie.`,
      ...(withoutConfigurationId > 0
        ? [`${formatCount(withoutConfigurationId)} without configurationId: workers use their INCODE_CONFIGURATION_ID.`]
        : []),
      `${counted(images, 'image')}, ${sizeInWords(bytes)}. Batch ${batchId}.`,
      `At least ${duration(atLeastMs)}: ${counted(requests.documents, 'request')} about documents and ` +
        `${formatCount(requests.faces)} about faces at the configured rate limits. Nothing was started.`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function sizeInWords(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} MB`;
}
