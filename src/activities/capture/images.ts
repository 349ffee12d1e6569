import type { ImageReference, ImageSide } from '../../contract/capture.js';
import { pinImage, readImage } from '../../images/read.js';
import type { IdImageAnswer, SelfieAnswer } from '../../incode/index.js';
import { callIncode, isFirstAttempt } from '../call.js';
import { captureFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { PinImagesInput, PinnedImage, UploadFrontInput, UploadImageInput } from './types.js';

/** Reads the images in sequence, and keeps none in memory. */
export function pinImages(options: ResolvedCaptureOptions) {
  return async <Side extends string>({
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

/** Reads an image and uploads it, when there is room for it in memory. Keeps only Incode's answer. */
async function upload<Answer>(
  options: ResolvedCaptureOptions,
  side: ImageSide,
  { interviewId, sessionToken, image: reference }: UploadImageInput,
  send: (call: ImageCall, signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await callIncode((signal) =>
      options.imageMemory.hold(reference.bytes, signal, async () => {
        // The digest of the whole image is checked before the first byte is sent.
        const image = await readImage(options.sources, reference, { signal });
        return send({ interviewId, sessionToken, image }, signal);
      }),
    );
  } catch (error) {
    throw captureFailure(error, options, { interviewId, image: side });
  }
}

export function uploadFront(options: ResolvedCaptureOptions) {
  return (input: UploadFrontInput): Promise<IdImageAnswer> =>
    upload(options, 'front', input, (call, signal) =>
      options.capture.addFrontId({ ...call, retry: isRepeat(input), onlyFront: input.onlyFront ?? false }, { signal }),
    );
}

export function uploadBack(options: ResolvedCaptureOptions) {
  return (input: UploadImageInput): Promise<IdImageAnswer> =>
    upload(options, 'back', input, (call, signal) =>
      options.capture.addBackId({ ...call, retry: isRepeat(input) }, { signal }),
    );
}

export function uploadSelfie(options: ResolvedCaptureOptions) {
  return (input: UploadImageInput): Promise<SelfieAnswer> =>
    upload(options, 'selfie', input, (call, signal) => options.capture.addFace(call, { signal }));
}

function isRepeat({ retry }: UploadImageInput): boolean {
  return retry === true || !isFirstAttempt();
}
