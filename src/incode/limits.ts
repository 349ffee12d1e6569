import type { FinishAnswer } from '../contract/index.js';

/**
 * Bytes of UTF-8 of each text of Incode's answers that is kept. Temporal refuses payloads above 2 MB, so an answer that is larger
 * than Incode's ever are must not be able to fill one.
 */
export const MAX_BYTES = {
  /** Incode's longest has 8. */
  action: 64,
  /** Incode's longest has 32. */
  onboardingStatus: 64,
  /** Incode's longest has 14. */
  scoreStatus: 64,
  /** A number such as `"94.6"`. */
  scoreValue: 32,
  sessionStatus: 32,
  /** What browsers and proxies handle. */
  redirectionUrl: 2_048,
} as const;

/** Cuts a text that is only compared with known values. The cut text equals none of them. */
export function cut(text: string, maxBytes: number): string {
  if (byteLength(text) <= maxBytes) return text;
  const bytes = Buffer.from(text).subarray(0, maxBytes);
  // A character that was cut in the middle is left out.
  return bytes.toString('utf8').replace(/\uFFFD+$/, '');
}

/** A number that does not fit is no number: its first digits would say something else. */
export function fitting(text: string | null, maxBytes: number): string | null {
  return text !== null && byteLength(text) <= maxBytes ? text : null;
}

/** A browser is sent there, so only what is surely a web address is handed on. */
export function readRedirection(url: string | null): Pick<FinishAnswer, 'redirectionUrl' | 'redirectionUnsafe'> {
  const redirectionUnsafe = url === null ? undefined : whyUnsafe(url);
  return redirectionUnsafe ? { redirectionUrl: null, redirectionUnsafe } : { redirectionUrl: url };
}

function whyUnsafe(url: string): FinishAnswer['redirectionUnsafe'] {
  if (byteLength(url) > MAX_BYTES.redirectionUrl) return 'tooLong';
  // Browsers leave out control characters, so that "java\nscript:" is a scheme too.
  if (!URL.canParse(url)) return 'malformed';
  if (!/^https?:$/.test(new URL(url).protocol)) return 'scheme';
  return [...url].some((character) => character < ' ' || character === '\u007f') ? 'malformed' : undefined;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
