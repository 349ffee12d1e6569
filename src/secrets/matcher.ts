import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The valid secrets: a list, or a function that returns the current list. */
export type Secrets<T = string> = readonly T[] | (() => readonly T[]);

/**
 * Compares a value with every secret in constant time: always all of them, by digests of equal length. The time reveals neither how much
 * of a secret was right nor which secret.
 *
 * @returns a function that returns the position of the matching secret, or -1
 */
export function secretMatcher(secrets: Secrets): (value: string) => number {
  // A key that only this process knows, so that nobody can prepare values whose digests begin alike.
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  const digests = memoizedBy(secrets, (list) => list.map(digest));
  return (value) => {
    const sought = digest(value);
    return digests().reduce((found, secret, position) => (timingSafeEqual(sought, secret) ? position : found), -1);
  };
}

/** @returns a function that computes a result from the secrets, and computes it again only when there is another list */
export function memoizedBy<T, R>(secrets: Secrets<T>, compute: (list: readonly T[]) => R): () => R {
  const currentList = typeof secrets === 'function' ? secrets : () => secrets;
  let lastList: readonly T[] | undefined;
  let result: R;
  return () => {
    const list = currentList();
    if (list !== lastList) {
      result = compute(list);
      lastList = list;
    }
    return result;
  };
}
