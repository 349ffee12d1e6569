import type { FinishAnswer } from '../contract/index.js';

/**
 * Maximum length, in bytes of UTF-8, of each text that is kept from an answer. Temporal refuses payloads above 2 MB, so an
 * unexpectedly large answer must not reach that size.
 */
export const MAX_BYTES = {
  /** Incode's longest is 8. */
  action: 64,
  /** Incode's longest is 32. */
  onboardingStatus: 64,
  /** Incode's longest is 14. */
  scoreStatus: 64,
  /** A number such as `"94.6"`. */
  scoreValue: 32,
  sessionStatus: 32,
  /** The length that all browsers and proxies accept. */
  redirectionUrl: 2_048,
} as const;

/** Shortens a text that is only compared with known values. A shortened text equals none of them. */
export function cut(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text;
  const bytes = Buffer.from(text).subarray(0, maxBytes);
  // Drops a character that was cut in the middle.
  return bytes.toString('utf8').replace(/\uFFFD+$/, '');
}

/** Drops a number that does not fit: its first digits would be another number. */
export function fitting(text: string | null, maxBytes: number): string | null {
  return text !== null && byteLength(text) <= maxBytes ? text : null;
}

/** Applications redirect browsers to this URL, so anything but a plain web address is reported as unsafe. */
export function readRedirection(url: string | null): Pick<FinishAnswer, 'redirectionUrl' | 'redirectionUnsafe'> {
  const redirectionUnsafe = url === null ? undefined : whyUnsafe(url);
  return redirectionUnsafe ? { redirectionUrl: null, redirectionUnsafe } : { redirectionUrl: url };
}

function whyUnsafe(url: string): FinishAnswer['redirectionUnsafe'] {
  if (byteLength(url) > MAX_BYTES.redirectionUrl) return 'tooLong';
  // Browsers ignore control characters, so "java\nscript:" is a scheme too.
  if (!URL.canParse(url)) return 'malformed';
  if (!/^https?:$/.test(new URL(url).protocol)) return 'scheme';
  return [...url].some((character) => character < ' ' || character === '\u007f') ? 'malformed' : undefined;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
