import { imageDimensionsFromData } from 'image-dimensions';
import { MIN_IMAGE_PIXELS } from '../contract/capture.js';
import type { ImageProblem } from './errors.js';

/** Type by content, and size in pixels. */
export interface ImageFacts {
  type: 'jpeg' | 'png';
  width: number;
  height: number;
}

/** What is wrong with an image: the two parts of an `ImageError`. */
export type Finding = readonly [problem: ImageProblem, reason: string];

/**
 * Reads type and size from the beginning of an image, by content.
 *
 * @returns `undefined` if more of a JPEG is needed: its size comes after its metadata, which can be long
 */
export function inspectHeader(beginning: Uint8Array, isWhole: boolean): ImageFacts | Finding | undefined {
  const type = typeOf(beginning);
  if (!type) return ['wrongType', 'is not a JPEG or PNG'];
  const { width = 0, height = 0 } = imageDimensionsFromData(beginning) ?? {};
  if (width > 0 && height > 0) {
    return Math.max(width, height) >= MIN_IMAGE_PIXELS
      ? { type, width, height }
      : [
          'tooFewPixels',
          `has ${width} × ${height} pixels. Incode needs at least ${MIN_IMAGE_PIXELS.toLocaleString('en-US')} on one side`,
        ];
  }
  return isWhole || type === 'png'
    ? ['wrongType', `begins as a ${type.toUpperCase()}, but has no size in pixels`]
    : undefined;
}

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff]);

function typeOf(bytes: Uint8Array): ImageFacts['type'] | undefined {
  const begins = (signature: Buffer) => signature.equals(bytes.subarray(0, signature.length));
  if (begins(JPEG_SIGNATURE)) return 'jpeg';
  // Apple's variant of PNG, which only Apple software reads, does not begin with IHDR.
  return begins(PNG_SIGNATURE) && Buffer.from(bytes.subarray(12, 16)).equals(Buffer.from('IHDR')) ? 'png' : undefined;
}

const END_MARKS = { jpeg: Buffer.from([0xff, 0xd9]), png: Buffer.from('IEND') };

/** Phones append videos and depth maps to a JPEG, so its end mark is not always at the end of the file. */
export const END_BYTES = 65_536;

/** Contains the end mark of most images. */
export const SHORT_END_BYTES = 2_048;

/** Skipped, because a thumbnail near the beginning has an end mark too. */
const HEADER_BYTES = 131_072;

/** Looks for the end mark, which an incomplete copy lacks. @param bytes the whole image, or its last `END_BYTES` */
export function hasEnd(type: ImageFacts['type'], bytes: Uint8Array): boolean {
  const from = Math.max(0, Math.min(HEADER_BYTES, bytes.length - END_BYTES));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(END_MARKS[type], from);
}
