export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** @returns the count with its noun, such as `1 file` or `2,000 files` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const ONE = { sessions: 'session', people: 'person' } as const;

/** Counts what a list consists of. */
export function countedItems(count: number, noun: keyof typeof ONE): string {
  return counted(count, ONE[noun], noun);
}
