import { setMaxListeners } from 'node:events';
import { ImageError } from './errors.js';
import type { ImageSource, OpenedImage } from './source.js';

export interface LimitOptions {
  /** Aborts the read, which then throws the signal's reason. */
  signal?: AbortSignal;
  /** Time limit for one image, in milliseconds. @default 30000, in which the largest image arrives at 2 Mbit/s */
  timeoutMs?: number;
}

export const TIMEOUT_MS = 30_000;

/**
 * Opens an image, uses it within the time limit and closes it.
 *
 * @throws ImageError for every failure of the source, because a library's message may reveal a credential
 */
export async function withImage<T>(
  sources: readonly ImageSource[],
  uri: string,
  { signal, timeoutMs = TIMEOUT_MS }: LimitOptions,
  use: (image: OpenedImage, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  // Many reads may share a signal. Each removes its listener, so Node's leak warning would be wrong.
  if (signal) setMaxListeners(0, signal);
  const source = sourceOf(sources, uri);
  const ending = new AbortController();
  const limit = setTimeout(
    () => ending.abort(new ImageError(uri, 'slow', `was not read within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const cancel = () => ending.abort(signal?.reason);
  signal?.addEventListener('abort', cancel);
  const opening = (async () => source.open(uri, ending.signal))();
  try {
    return await untilAborted(
      opening.then((image) => use(image, ending.signal)),
      ending.signal,
    );
  } catch (error) {
    if (ending.signal.aborted) throw ending.signal.reason;
    throw error instanceof ImageError
      ? error
      : new ImageError(uri, 'unavailable', 'is not available: its source failed');
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', cancel);
    // Not awaited, because a hanging disk or connection may never open or close.
    opening.then((image) => image.close()).catch(() => undefined);
  }
}

function sourceOf(sources: readonly ImageSource[], uri: string): ImageSource {
  const scheme = /^[^:]*/.exec(uri)?.[0] ?? '';
  const source = sources.find(({ schemes }) => schemes.includes(scheme));
  if (source) return source;
  throw new ImageError(uri, 'noSource', 'cannot be read: no image source is configured for its scheme');
}

/** Rejects as soon as the signal is aborted, even if the work ignores it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
