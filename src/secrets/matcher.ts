import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Those in use: a list, or a function that gives the one of now. */
export type Secrets<T = string> = readonly T[] | (() => readonly T[]);

/**
 * Compares what was sent with every secret, all of them always, by digests of equal length: how long it takes tells neither
 * how much of a secret was right nor which one.
 *
 * @returns a function that gives the position of the secret, or -1
 */
export function secretMatcher(secrets: Secrets): (given: string) => number {
  // Of this process only: without it nobody can prepare values with digests that begin alike.
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  const digests = derived(secrets, (list) => list.map(digest));
  return (given) => {
    const sought = digest(given);
    return digests().reduce((found, known, position) => (timingSafeEqual(sought, known) ? position : found), -1);
  };
}

/** What follows from a list of secrets, worked out again only when there is another list. */
export function derived<T, R>(secrets: Secrets<T>, derive: (list: readonly T[]) => R): () => R {
  const current = typeof secrets === 'function' ? secrets : () => secrets;
  let of: readonly T[] | undefined;
  let result: R;
  return () => {
    const list = current();
    if (list !== of) {
      result = derive(list);
      of = list;
    }
    return result;
  };
}
