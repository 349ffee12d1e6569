/** With 250,000 sessions in progress, one shard in a hundred has a session whose hash is also another one's. It waits without need. */
export const HASH_LENGTH = 6;

/** A local name, because globals are slow in a workflow's sandbox: 100 ms for the ids of a shard. */
const { imul } = Math;

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Hashes an interview id to 36 bits, written as 6 characters. Claims consist of hashes, because the ids of a shard have up to 400 kB.
 * The function is cyrb53, because workflow code has no crypto module.
 */
export function hashOf(interviewId: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < interviewId.length; at += 1) {
    const code = interviewId.charCodeAt(at);
    high = imul(high ^ code, 2_654_435_761);
    low = imul(low ^ code, 1_597_334_677);
  }
  const mixedHigh = imul(high ^ (high >>> 16), 2_246_822_507) ^ imul(low ^ (low >>> 13), 3_266_489_909);
  const mixedLow = imul(low ^ (low >>> 16), 2_246_822_507) ^ imul(mixedHigh ^ (mixedHigh >>> 13), 3_266_489_909);
  return digitsOf(mixedHigh) + digitsOf(mixedLow);
}

/** @returns 18 bits as 3 digits */
function digitsOf(bits: number): string {
  return [0, 6, 12].map((shift) => DIGITS[(bits >>> shift) & 63]).join('');
}

/** Splits hashes that were joined to one string, which is the smallest JSON. */
export function split(hashes: string): string[] {
  return Array.from({ length: Math.floor(hashes.length / HASH_LENGTH) }, (_, at) =>
    hashes.slice(at * HASH_LENGTH, (at + 1) * HASH_LENGTH),
  );
}
