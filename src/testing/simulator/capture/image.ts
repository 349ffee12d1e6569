import { createHash } from 'node:crypto';

/** The facts about an uploaded image. The simulator does not keep the image itself. */
export interface ImageFacts {
  sha256: string;
  bytes: number;
  /** By its first bytes. `null` if they are neither JPEG nor PNG. */
  type: 'jpeg' | 'png' | null;
  /** In pixels. `null` if the header does not say. */
  width: number | null;
  height: number | null;
}

/** @returns `undefined` if the text is empty or not base64 */
export function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/\s]+=*\s*$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

export function factsOf(image: Buffer): ImageFacts {
  const sha256 = createHash('sha256').update(image).digest('hex');
  const type = typeOf(image);
  const size = type === 'png' ? sizeOfPng(image) : type === 'jpeg' ? sizeOfJpeg(image) : undefined;
  return { sha256, bytes: image.length, type, width: size?.width ?? null, height: size?.height ?? null };
}

/** Incode requires 1,000 pixels on one side. An image whose size is unknown passes. */
export function isTooSmall({ width, height }: ImageFacts): boolean {
  return width !== null && height !== null && Math.max(width, height) < MIN_PIXELS;
}

const MIN_PIXELS = 1_000;

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function typeOf(image: Buffer): ImageFacts['type'] {
  if (image.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) return 'png';
  return image.length >= 3 && image.readUIntBE(0, 3) === 0xffd8ff ? 'jpeg' : null;
}

interface Size {
  width: number;
  height: number;
}

/** The first chunk, IHDR, begins with width and height. */
function sizeOfPng(image: Buffer): Size | undefined {
  if (image.length < 24) return undefined;
  return { width: image.readUInt32BE(16), height: image.readUInt32BE(20) };
}

/** Skips the segments before the start of frame, which has height and width. */
function sizeOfJpeg(image: Buffer): Size | undefined {
  let at = 2;
  while (at + 9 <= image.length && image[at] === 0xff) {
    const marker = image[at + 1] as number;
    if (isStartOfFrame(marker)) return { height: image.readUInt16BE(at + 5), width: image.readUInt16BE(at + 7) };
    // A segment may be preceded by fill bytes.
    at += marker === 0xff ? 1 : 2 + image.readUInt16BE(at + 2);
  }
  return undefined;
}

/** C0 to CF, without the tables C4, C8 and CC. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
