import type { StreamedBody } from '../caller.js';

const BEFORE = '{"base64Image":"';
const AFTER = '"}';

/** A multiple of 3, so that only the last chunk can end with padding. */
const CHUNK_BYTES = 49_152;

/** The JSON body of an upload. Encodes while it sends, because the whole body would take more memory than the image. */
export function base64Body(image: Uint8Array): StreamedBody {
  return { chunks: chunksOf(image), bytes: BEFORE.length + Math.ceil(image.length / 3) * 4 + AFTER.length };
}

function* chunksOf(image: Uint8Array): Iterable<string> {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  yield BEFORE;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.toString('base64', at, at + CHUNK_BYTES);
  yield AFTER;
}
