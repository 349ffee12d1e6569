import { createHash } from 'node:crypto';
import { type ImageReference, MAX_IMAGE_BYTES } from '../contract/capture.js';
import { ImageError } from './errors.js';
import {
  END_BYTES,
  EndSearch,
  type Finding,
  HeaderSearch,
  hasEnd,
  type ImageFacts,
  INCOMPLETE,
  inspectHeader,
  SHORT_END_BYTES,
} from './inspect.js';
import { type LimitOptions, withImage } from './open.js';
import type { ImageSource, OpenedImage } from './source.js';

/** What `inspectImage` finds. */
export interface ImageDescription extends ImageFacts {
  /** Size of the file. */
  bytes: number;
}

/**
 * Reads a whole image and checks that Incode can use it: a complete JPEG or PNG with enough pixels that fits into a request. If the
 * reference has a digest or a size, the image must match it.
 *
 * @example
 * const bytes = await readImage([fileImages(['/images'])], { uri: 'file:ann/front.jpg' });
 * @throws ImageError
 */
export async function readImage(
  sources: readonly ImageSource[],
  reference: ImageReference,
  options: LimitOptions = {},
): Promise<Buffer> {
  return withImage(sources, reference.uri, options, async (image, signal) => {
    const bytes = await readAll(reference, image, signal);
    if (reference.sha256 !== undefined && reference.sha256 !== sha256Of(bytes)) throw changed(reference);
    const { type } = factsOf(reference, inspectHeader(bytes, true));
    if (!hasEnd(type, bytes)) throw incomplete(reference);
    return bytes;
  });
}

/**
 * Adds digest and size to a reference, so that every later read gets the same image or fails. Checks the same as `readImage`, but keeps
 * only the part of the image that it reads at the moment.
 *
 * @example
 * const front = await pinImage(sources, { uri: 'file:ann/front.jpg' });
 * @throws ImageError
 */
export async function pinImage(
  sources: readonly ImageSource[],
  reference: ImageReference,
  options: LimitOptions = {},
): Promise<Required<ImageReference>> {
  return withImage(sources, reference.uri, options, async (image, signal) => {
    const { sha256, bytes } = await scan(reference, image, signal);
    return { uri: reference.uri, sha256, bytes };
  });
}

/**
 * Checks type, pixels and size as `readImage` does, but not the digest. Reads only the beginning, and the end if the source can read it
 * alone. Reads the whole image only if the source does not know its size.
 *
 * @example
 * const { type, width, height, bytes } = await inspectImage(sources, { uri: 'file:ann/front.jpg' });
 * @throws ImageError
 */
export async function inspectImage(
  sources: readonly ImageSource[],
  reference: ImageReference,
  options: LimitOptions = {},
): Promise<ImageDescription> {
  const { sha256: _, ...anyDigest } = reference;
  const known = await withImage(sources, reference.uri, options, async (image, signal) => {
    if (image.bytes === undefined) return undefined;
    checkSize(reference, image.bytes);
    if (reference.bytes !== undefined && reference.bytes !== image.bytes) throw changed(reference);
    const facts = await inspectBeginning(reference, image, signal);
    if (await lacksEnd(image, facts)) return undefined;
    return { ...facts, bytes: image.bytes };
  });
  if (known) return known;
  return withImage(sources, reference.uri, options, async (image, signal) => {
    const { sha256: _, ...description } = await scan(anyDigest, image, signal);
    return description;
  });
}

/** `false` if the source cannot read the end alone. */
async function lacksEnd(image: OpenedImage, { type }: ImageFacts): Promise<boolean> {
  if (!image.readEnd) return false;
  for (const length of [SHORT_END_BYTES, END_BYTES]) if (hasEnd(type, await image.readEnd(length))) return false;
  return true;
}

async function inspectBeginning(
  reference: ImageReference,
  image: OpenedImage,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const header = new HeaderSearch();
  let length = 0;
  for await (const chunk of chunksOf(reference, image, signal)) {
    length += chunk.length;
    header.add(chunk);
    if (header.found) return factsOf(reference, header.found);
  }
  if (length !== image.bytes) throw incomplete(reference);
  return factsOf(reference, header.end());
}

/** Makes the checks of `readImage` while the image is read. A worker reads dozens of images at a time only to know their digests. */
async function scan(
  reference: ImageReference,
  image: OpenedImage,
  signal: AbortSignal,
): Promise<ImageDescription & { sha256: string }> {
  const size = expectedSize(reference, image);
  const hash = createHash('sha256');
  const header = new HeaderSearch();
  const end = new EndSearch();
  let bytes = 0;
  for await (const chunk of chunksOf(reference, image, signal)) {
    bytes += chunk.length;
    if (size !== undefined && bytes > size) throw wrongSize(reference, image);
    hash.update(chunk);
    header.add(chunk);
    end.add(chunk);
  }
  if (size !== undefined && bytes < size) throw wrongSize(reference, image);
  const sha256 = hash.digest('hex');
  if (reference.sha256 !== undefined && reference.sha256 !== sha256) throw changed(reference);
  const facts = factsOf(reference, header.end());
  if (!end.found(facts.type)) throw incomplete(reference);
  return { ...facts, bytes, sha256 };
}

/** Reads into one buffer if the size is known, because parts and whole together would need twice the memory of the image. */
async function readAll(reference: ImageReference, image: OpenedImage, signal: AbortSignal): Promise<Buffer> {
  const size = expectedSize(reference, image);
  if (size === undefined) return Buffer.concat(await partsOf(reference, image, signal));
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  for await (const chunk of chunksOf(reference, image, signal)) {
    if (length + chunk.length > size) throw wrongSize(reference, image);
    bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length < size) throw wrongSize(reference, image);
  return bytes;
}

/** @returns `undefined` if neither the source nor the reference names a size */
function expectedSize(reference: ImageReference, image: OpenedImage): number | undefined {
  const size = image.bytes ?? reference.bytes;
  if (size === undefined) return undefined;
  checkSize(reference, size);
  if (reference.bytes !== undefined && reference.bytes !== size) throw changed(reference);
  return size;
}

function wrongSize(reference: ImageReference, image: OpenedImage): ImageError {
  return image.bytes === undefined ? changed(reference) : incomplete(reference);
}

async function partsOf(reference: ImageReference, image: OpenedImage, signal: AbortSignal): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunksOf(reference, image, signal)) parts.push(chunk);
  return parts;
}

/** The parts of an image. Throws as soon as the signal is aborted or the image is too large. */
async function* chunksOf(
  reference: ImageReference,
  image: OpenedImage,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of image.read()) {
    signal.throwIfAborted();
    length += chunk.length;
    checkSize(reference, length);
    yield chunk;
  }
}

function checkSize({ uri }: ImageReference, bytes: number): void {
  if (bytes <= MAX_IMAGE_BYTES) return;
  const limit = `${MAX_IMAGE_BYTES.toLocaleString('en-US')} bytes, the most that fits into a request to Incode`;
  throw new ImageError(uri, 'tooLarge', `has more than ${limit}`);
}

function factsOf({ uri }: ImageReference, found: ImageFacts | Finding | undefined): ImageFacts {
  if (found && 'type' in found) return found;
  throw new ImageError(uri, ...(found ?? (['wrongType', 'has no size in pixels'] as const)));
}

function changed({ uri }: ImageReference): ImageError {
  return new ImageError(uri, 'changed', 'has changed: its size or digest is not that of the reference');
}

function incomplete({ uri }: ImageReference): ImageError {
  return new ImageError(uri, ...INCOMPLETE);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
