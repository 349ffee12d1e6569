import type { ImageReference, ImageSide } from '../../contract/capture.js';
import { pinImage, readImage } from '../../images/read.js';
import type { CallOptions } from '../../incode/caller.js';
import type { IdImageAnswer, SelfieAnswer } from '../../incode/index.js';
import { callIncode, isFirstAttempt } from '../call.js';
import { LeaseAfterStandstill } from '../standstill.js';
import { captureFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { PinImagesInput, PinnedImage, UploadFrontInput, UploadImageInput } from './types.js';

/** Reads the images in sequence, and keeps none in memory. */
export function pinImages(options: ResolvedCaptureOptions) {
  return async <Side extends ImageSide>({
    reference,
    images,
  }: PinImagesInput<Side>): Promise<{ [side in Side]?: PinnedImage }> => {
    const pinned: { [side in Side]?: PinnedImage } = {};
    for (const [side, image] of Object.entries(images) as [Side, ImageReference][]) {
      try {
        pinned[side] = await callIncode((signal) => pinImage(options.sources, image, { signal }));
      } catch (error) {
        throw captureFailure(error, options, { interviewId: '', reference, image: side });
      }
    }
    return pinned;
  };
}

interface ImageCall {
  interviewId: string;
  sessionToken: string;
  image: Buffer;
}

const UPLOADS = { front: 'addFrontId', back: 'addBackId', selfie: 'addFace' } as const;

/**
 * Reads an image and uploads it, when there is room for it in memory. Keeps only Incode's answer. After the worker was frozen, another one may
 * have uploaded an image that was handed in later. Incode uses the newest upload, so an attempt that was replaced must send nothing.
 */
async function upload<Answer>(
  options: ResolvedCaptureOptions,
  side: ImageSide,
  { interviewId, sessionToken, image: reference }: UploadImageInput,
  send: (call: ImageCall, options: CallOptions) => Promise<Answer>,
): Promise<Answer> {
  const lease = new LeaseAfterStandstill(UPLOADS[side]);
  try {
    return await callIncode((signal) =>
      options.imageMemory.hold(reference.bytes, signal, async () => {
        // The digest of the whole image is checked before the first byte is sent.
        const image = await readImage(options.sources, reference, { signal });
        return lease.send((mayStillSend) => send({ interviewId, sessionToken, image }, { signal, mayStillSend }));
      }),
    );
  } catch (error) {
    throw captureFailure(error, options, { interviewId, image: side });
  }
}

export function uploadFront(options: ResolvedCaptureOptions) {
  return (input: UploadFrontInput): Promise<IdImageAnswer> =>
    upload(options, 'front', input, (call, how) =>
      options.capture.addFrontId({ ...call, retry: isRepeat(input), onlyFront: input.onlyFront ?? false }, how),
    );
}

export function uploadBack(options: ResolvedCaptureOptions) {
  return (input: UploadImageInput): Promise<IdImageAnswer> =>
    upload(options, 'back', input, (call, how) => options.capture.addBackId({ ...call, retry: isRepeat(input) }, how));
}

export function uploadSelfie(options: ResolvedCaptureOptions) {
  return (input: UploadImageInput): Promise<SelfieAnswer> =>
    upload(options, 'selfie', input, (call, how) => options.capture.addFace(call, how));
}

function isRepeat({ retry }: UploadImageInput): boolean {
  return retry === true || !isFirstAttempt();
}
