/** Bounds the memory of simulators that run for days. */
const MAX_ENTRIES = 200_000;

/** Adds an entry. At the limit it removes the older half at once, because each removal moves the rest. */
export function addBounded<T>(list: T[], entry: T): void {
  list.push(entry);
  if (list.length > MAX_ENTRIES) list.splice(0, MAX_ENTRIES / 2);
}
