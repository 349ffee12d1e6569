import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { PinnedImage } from '../../activities/capture/types.js';
import { IMAGE_SIDES, type ImageReference, type ImageResult, type ImageSide } from '../../contract/index.js';
import { NewRunIsDue, newRunIsDue } from '../new-run.js';
import { addEvent } from '../record.js';
import { capture } from './activities.js';
import { afterRefusedImage, afterUnusableImage, isRefused, reasonOf } from './decisions.js';
import {
  imageRefused,
  imageUnusable,
  newerHandedIn,
  noLongerNeeded,
  replacementUnusable,
  unusableImageOf,
} from './failures.js';
import type { Person } from './person.js';
import { pin } from './record.js';
import { withSession } from './session-access.js';

/** Adds digest and size to the references, so that every attempt sends the same bytes. */
export async function pinImages(person: Person): Promise<void> {
  const { record, input } = person;
  for (;;) {
    if (record.needs.length > 0) await untilReplaced(person);
    const missing = IMAGE_SIDES.filter((side) => record.images[side] !== null && record.pinned[side] === null);
    if (missing.length === 0) return;
    person.enter('pinning');
    const images = Object.fromEntries(missing.map((side) => [side, record.images[side] as ImageReference]));
    try {
      pin(record, await capture.pinImages({ reference: input.reference, images }));
    } catch (error) {
      needAnother(person, error);
    }
  }
}

/** Uploads an image, and others that replace it, until Incode can use one or the plan goes on without. */
export async function uploadImage(person: Person, side: ImageSide): Promise<void> {
  const { record } = person;
  while (record.results[side] === null || record.needs.length > 0) {
    await pinImages(person);
    if (record.results[side] !== null) continue;
    person.enter(side);
    try {
      const result = await send(person, side, record.pinned[side] as PinnedImage);
      record.results[side] = result;
      addEvent(record, `The ${side} is ${result.assessment}${isRefused(result) ? `: ${reasonOf(result)}` : ''}`);
      if (isRefused(result)) refuse(person, [side]);
    } catch (error) {
      needAnother(person, error);
    }
  }
}

async function send(person: Person, side: ImageSide, image: PinnedImage): Promise<ImageResult> {
  const { record } = person;
  const retry = record.sent.includes(side) ? { retry: true as const } : {};
  if (!retry.retry) record.sent.push(side);
  if (side === 'selfie') {
    const answer = await withSession(person, (access, activities) =>
      activities.uploadSelfie({ ...access, image, ...retry }),
    );
    const { assessment, failReason, code, failedChecks, confidence } = answer;
    return { assessment, failReason, code, failedChecks, confidence };
  }
  const onlyFront = record.images.back === null ? { onlyFront: true as const } : {};
  const { assessment, failReason, code, failedChecks, typeOfId, isDocumentExpired, hasNoBack } = await withSession(
    person,
    (access, activities) =>
      side === 'front'
        ? activities.uploadFront({ ...access, image, ...retry, ...onlyFront })
        : activities.uploadBack({ ...access, image, ...retry }),
  );
  if (side === 'front') record.hasNoBack = hasNoBack;
  return { assessment, failReason, code, failedChecks, typeOfId, isDocumentExpired };
}

/**
 * Incode cannot use these images.
 *
 * @throws ApplicationFailure if the plan says so
 * @returns whether the workflow waits for others
 */
export function refuse(person: Person, sides: ImageSide[]): boolean {
  const { record, plan } = person;
  const step = afterRefusedImage(
    plan,
    sides.every((side) => record.givenUp.includes(side)),
  );
  if (step === 'fail') throw imageRefused(person, sides);
  if (step === 'wait') record.needs = [...sides];
  return step === 'wait';
}

/** An image cannot be read or sent. @throws the error, unless the plan waits for another image */
function needAnother(person: Person, error: unknown): void {
  const { record, plan } = person;
  const unusable = unusableImageOf(error);
  if (!unusable) throw error;
  const { side } = unusable;
  if (afterUnusableImage(plan, record.givenUp.includes(side)) === 'fail') throw imageUnusable(person, unusable);
  addEvent(
    record,
    `The image of the ${side} cannot be used${unusable.problem === null ? '' : `: ${unusable.problem}`}`,
  );
  record.unusable = unusable;
  record.needs = [side];
}

/** Waits until the update `replaceImage` has handed in every image that is needed, or the deadline has passed. */
async function untilReplaced(person: Person): Promise<void> {
  const { record, plan } = person;
  person.enter('needsImage', plan.imageDeadlineMs);
  const left = (record.deadline ?? 0) - Date.now();
  const isEnded = await condition(() => record.needs.length === 0 || newRunIsDue(), Math.max(1, left), {
    summary: 'Deadline for another image',
  });
  if (record.needs.length > 0 && isEnded) throw new NewRunIsDue();
  if (record.needs.length > 0) {
    addEvent(record, `Nobody has handed in another image: ${record.needs.join(', ')}`);
    record.givenUp.push(...record.needs);
    record.needs = [];
    if (record.unusable) throw imageUnusable(person, record.unusable);
  }
  record.unusable = null;
}

/** Marks in a history that the update `replaceImage` has a worker read the image before it answers. Earlier versions answered at once. */
const READS_REPLACEMENTS = 'reads-replacements';

/**
 * Applies the update `replaceImage`.
 *
 * @throws ApplicationFailure `ImageUnusable` if the image cannot be read or sent; `WrongStage` if it is not needed any more, or a newer one was
 * handed in before it was read. Nothing has changed then
 */
export async function replaceImage(person: Person, side: ImageSide, image: ImageReference): Promise<void> {
  if (!patched(READS_REPLACEMENTS)) return replaceBy(person, side, image, null);
  const { record, reading } = person;
  const isNewest = () => reading[side] === image;
  const isWanted = () => isNewest() && record.needs.includes(side);
  const unwanted = () => (isNewest() ? noLongerNeeded(person, side) : newerHandedIn(person, side));
  const scope = new CancellationScope();
  const read = scope.run(() => capture.pinImages({ reference: person.input.reference, images: { [side]: image } }));
  reading[side] = image;
  person.publish();
  try {
    // The deadline may pass. A newer image ends this read, because Temporal refuses updates while ten wait for images that nobody can read.
    await Promise.race([read, condition(() => !isWanted())]);
    if (!isWanted()) {
      scope.cancel();
      await read.catch(() => undefined);
      throw unwanted();
    }
    const pinned = await read;
    if (!isWanted()) throw unwanted();
    replaceBy(person, side, image, pinned[side] ?? null);
  } catch (error) {
    const unusable = unusableImageOf(error);
    if (!unusable) throw error;
    const problem = unusable.problem === null ? '' : `: ${unusable.problem}`;
    addEvent(record, `The image of the ${side} that was handed in cannot be used${problem}`);
    throw replacementUnusable(person, unusable);
  } finally {
    if (isNewest()) delete reading[side];
    person.publish();
  }
}

function replaceBy({ record }: Person, side: ImageSide, image: ImageReference, pinned: PinnedImage | null): void {
  record.images[side] = image;
  if (pinned) pin(record, { [side]: pinned });
  else record.pinned[side] = null;
  record.results[side] = null;
  record.needs = record.needs.filter((needed) => needed !== side);
  addEvent(record, `Another image of the ${side} was handed in`);
}
