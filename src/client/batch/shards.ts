import { createHash } from 'node:crypto';
import { MAX_SHARD_BYTES } from '../../contract/batch.js';
import { InvalidInputError } from '../../contract/index.js';

export interface Shard<Item> {
  number: number;
  /** Position of its first item in the whole input. */
  first: number;
  items: Item[];
  /** Identifies each item, in the same order. */
  ids: string[];
  /** Hash of the parts that make a list the same list when the batch runs again. */
  contentHash: string;
}

/** How a list is checked and cut. It remembers the ids that it has seen, so each run of a batch has its own. */
export interface ItemShape<Item> {
  /** @throws InvalidInputError naming the item if it is invalid, or repeats an earlier one */
  check(input: unknown, index: number): Item;
  idOf(item: Item): string;
  /** Upper estimate of the item's bytes as JSON. It must not depend on parts that may be new when the batch runs again. */
  sizeOf(item: Item): number;
  /** The item's part of the list's hash, without parts that may be new when the batch runs again. */
  contentOf(item: Item): string;
}

/**
 * Cuts a list into shards, always at the same positions.
 *
 * @throws InvalidInputError naming the first item that is invalid or repeats another
 */
export async function* cutShards<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  shardSize: number,
  shape: ItemShape<Item>,
): AsyncGenerator<Shard<Item>> {
  let [number, first, bytes] = [0, 0, 0];
  let cut: Item[] = [];
  for await (const input of items) {
    const item = shape.check(input, first + cut.length);
    const size = shape.sizeOf(item);
    if (cut.length === shardSize || bytes + size > MAX_SHARD_BYTES) {
      yield shard(number, first, cut, shape);
      number += 1;
      first += cut.length;
      cut = [];
      bytes = 0;
    }
    cut.push(item);
    bytes += size;
  }
  if (cut.length > 0) yield shard(number, first, cut, shape);
}

/** @throws InvalidInputError */
export function checkShardSize(size: number, max: number): number {
  if (!Number.isSafeInteger(size) || size < 1 || size > max) {
    throw new InvalidInputError('shardSize', `must be a whole number from 1 to ${max}`);
  }
  return size;
}

function shard<Item>(number: number, first: number, items: Item[], shape: ItemShape<Item>): Shard<Item> {
  const content = items.map((item) => shape.contentOf(item)).join('\n');
  const contentHash = createHash('sha256').update(content).digest('hex');
  return { number, first, items, ids: items.map((item) => shape.idOf(item)), contentHash };
}
