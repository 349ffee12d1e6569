/** Why an image cannot be used, and whether a retry can help. */
export const RETRY = {
  /** Nothing is at the address. */
  missing: 'never',
  /** The image is not the one that the reference names by size or digest. */
  changed: 'never',
  /** The image ended early, or was still being written. */
  truncated: 'soon',
  tooLarge: 'never',
  /** Not a JPEG or PNG by content. */
  wrongType: 'never',
  tooFewPixels: 'never',
  /** The file system refused: permissions or a broken disk. */
  unreadable: 'afterFix',
  /** A directory, FIFO, socket or device. */
  notAFile: 'never',
  /** Outside of the configured roots, hosts or buckets. */
  notAllowed: 'never',
  /** The server or store refused the credentials. */
  denied: 'afterFix',
  /** Not read within the time limit. */
  slow: 'soon',
  /** The server or store was not reached, or failed. */
  unavailable: 'soon',
  /** No source knows the scheme, or a package is missing. */
  noSource: 'afterFix',
  /** No root, host or bucket at all is configured here. Another worker may have one. */
  noPlace: 'soon',
} as const;

export type ImageProblem = keyof typeof RETRY;

/**
 * Whether a retry can help:
 * - `never`: the same image fails again;
 * - `soon`: the source may succeed in a moment;
 * - `afterFix`: a person must first correct a permission, a credential or the configuration.
 */
export type ImageRetry = (typeof RETRY)[ImageProblem];

/** An image cannot be used. The message names the image by its address, without credentials or query, and quotes no content. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly problem: ImageProblem;
  readonly retry: ImageRetry;
  /** The message without the address, for a table with a separate column for addresses. */
  readonly reason: string;

  constructor(uri: string, problem: ImageProblem, reason: string) {
    super(`The image ${shownUri(uri)} ${reason}`);
    this.problem = problem;
    this.retry = RETRY[problem];
    this.reason = reason;
  }
}

/** Long enough to recognize an image in a log line. */
const MAX_SHOWN = 300;

/** Removes login, query and fragment, which can hold credentials, and control characters. */
function shownUri(uri: string): string {
  const plain = uri
    .replace(/[?#].*$/s, '')
    .replace(/^([a-z][\w+.-]*:\/\/)[^/]*@/i, '$1')
    .replace(/\p{C}/gu, '?');
  return plain.length > MAX_SHOWN ? `${plain.slice(0, MAX_SHOWN)}…` : plain;
}
