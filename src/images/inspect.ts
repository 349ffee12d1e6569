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
  if (!type) return isWhole ? whyNoType(beginning) : NO_TYPE;
  const { width = 0, height = 0 } = imageDimensionsFromData(beginning) ?? {};
  if (width > 0 && height > 0) {
    return Math.max(width, height) >= MIN_IMAGE_PIXELS
      ? { type, width, height }
      : [
          'tooFewPixels',
          `has ${width} × ${height} pixels. Incode needs at least ${MIN_IMAGE_PIXELS.toLocaleString('en-US')} on one side`,
        ];
  }
  if (!isWhole && type === 'jpeg') return undefined;
  const isCut = isWhole && !hasEnd(type, beginning);
  return isCut ? INCOMPLETE : ['wrongType', `begins as a ${type.toUpperCase()}, but has no size in pixels`];
}

/** A copy that is still being made looks like this, so a later attempt may find the whole image. */
export const INCOMPLETE: Finding = ['truncated', 'is incomplete: it ended early or is still being written'];

const NO_TYPE: Finding = ['wrongType', 'is not a JPEG or PNG'];

/** A program that writes an image again first makes the file empty. */
function whyNoType(bytes: Uint8Array): Finding {
  if (bytes.length === 0) return ['truncated', 'is empty, or is still being written'];
  const isBeginning = [JPEG_SIGNATURE, PNG_BEGINNING].some((signature) =>
    signature.subarray(0, bytes.length).equals(bytes.subarray(0, signature.length)),
  );
  return isBeginning ? INCOMPLETE : NO_TYPE;
}

// Apple's variant of PNG, which only Apple software reads, does not begin with IHDR, whose length is 13.
const PNG_BEGINNING = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 'latin1');
const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff]);

function typeOf(bytes: Uint8Array): ImageFacts['type'] | undefined {
  const begins = (signature: Buffer) => signature.equals(bytes.subarray(0, signature.length));
  if (begins(JPEG_SIGNATURE)) return 'jpeg';
  return begins(PNG_BEGINNING) ? 'png' : undefined;
}

/** The size in pixels of a PNG ends here. With fewer bytes, an image that arrives in small parts would look like another type. */
const MIN_HEADER_BYTES = 24;

/** Finds type and size in pixels while an image is read in parts. Keeps the parts only until then: usually one. */
export class HeaderSearch {
  /** `undefined` until enough was read. */
  found: ImageFacts | Finding | undefined;
  private parts: Uint8Array[] = [];
  private length = 0;
  // Doubled each time, so that a long header is not inspected after every part.
  private enough = MIN_HEADER_BYTES;

  add(part: Uint8Array): void {
    if (this.found) return;
    this.parts.push(part);
    this.length += part.length;
    if (this.length < this.enough) return;
    this.inspect(false);
    this.enough = this.length * 2;
  }

  /** Call it after the last part. */
  end(): ImageFacts | Finding | undefined {
    if (!this.found) this.inspect(true);
    return this.found;
  }

  private inspect(isWhole: boolean): void {
    this.parts = [Buffer.concat(this.parts)];
    this.found = inspectHeader(this.parts[0] as Uint8Array, isWhole);
    if (this.found) this.parts = [];
  }
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
  return viewOf(bytes).includes(END_MARKS[type], endFrom(bytes.length));
}

/** Does the same as `hasEnd` while an image is read in parts, and keeps none of them. */
export class EndSearch {
  private readonly last = { jpeg: -1, png: -1 };
  private length = 0;
  /** The end of the earlier parts, in which a mark may begin. */
  private carry: Uint8Array = Buffer.alloc(0);

  add(part: Uint8Array): void {
    const overlap = Buffer.concat([this.carry, part.subarray(0, MAX_MARK_BYTES - 1)]);
    this.search(overlap, this.length - this.carry.length);
    this.search(viewOf(part), this.length);
    this.length += part.length;
    // A copy, because a view would keep the whole part in memory.
    const rest = part.length < MAX_MARK_BYTES ? overlap : part;
    this.carry = Buffer.from(rest.subarray(-MAX_MARK_BYTES + 1));
  }

  private search(bytes: Buffer, from: number): void {
    for (const type of TYPES) {
      const at = bytes.lastIndexOf(END_MARKS[type]);
      if (at >= 0) this.last[type] = from + at;
    }
  }

  /** Call it after the last part. */
  found(type: ImageFacts['type']): boolean {
    return this.last[type] >= endFrom(this.length);
  }
}

const TYPES = ['jpeg', 'png'] as const;
const MAX_MARK_BYTES = 4;

function endFrom(length: number): number {
  return Math.max(0, Math.min(HEADER_BYTES, length - END_BYTES));
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
