import { describe, expect, it } from 'vitest';
import { SeenIds } from '../../src/client/batch/seen-ids.js';
import { sessionShape } from '../../src/client/batch/sessions.js';
import { checkShardSize, cutShards, type Shard } from '../../src/client/batch/shards.js';
import { Window } from '../../src/client/batch/window.js';
import { MAX_SHARD_BYTES } from '../../src/contract/batch.js';
import type { BatchSession } from '../../src/contract/index.js';
import { all } from '../support/batch.js';

const sessions = (count: number, token?: string): BatchSession[] =>
  Array.from({ length: count }, (_, index) => ({
    interviewId: index.toString(16).padStart(24, '0'),
    ...(token ? { sessionToken: index.toString(16).padEnd(6, '-') + token.slice(6) } : {}),
  }));

const cut = (list: BatchSession[], size = 2_000): Promise<Shard<BatchSession>[]> =>
  all(cutShards(list, size, sessionShape()));
const sizes = async (shards: Promise<Shard<BatchSession>[]>) => (await shards).map(({ items }) => items.length);

describe('cutShards', () => {
  it.each([
    [0, []],
    [1, [1]],
    [2_000, [2_000]],
    [4_001, [2_000, 2_000, 1]],
  ])('cuts %i sessions with tokens of the usual length into shards of %j', async (count, expected) => {
    expect(await sizes(cut(sessions(count, 't'.repeat(256))))).toEqual(expected);
  });

  it.each([257, 512, 2_000, 16_384])(
    'keeps shards within the byte limit with tokens of %i characters, also with quotes',
    async (length) => {
      const shards = await cut(sessions(1_000, '"'.repeat(length)));
      for (const { items } of shards) expect(JSON.stringify(items).length).toBeLessThan(MAX_SHARD_BYTES);
      expect(shards.flatMap((shard) => shard.items)).toHaveLength(1_000);
    },
  );

  it.each([
    ['usual', [180, 256, 0]],
    ['long', [300, 512, 400]],
  ])('keeps cuts and hashes when tokens of %s length are renewed or missing', async (_, lengths) => {
    const cuts = lengths.map(async (length) => {
      // Long ids, so that the byte limit ends a shard, not the count.
      const list = sessions(4_000, 't'.repeat(length)).map((session) => ({
        ...session,
        interviewId: session.interviewId.padStart(200, 'i'),
      }));
      return (await cut(list)).map(({ number, first, contentHash }) => ({ number, first, contentHash }));
    });
    const [first, ...others] = await Promise.all(cuts);
    expect(first?.[1]?.first).toBeLessThan(2_000);
    for (const other of others) expect(other).toEqual(first);
  });

  it('computes another hash for another list and for another order', async () => {
    const [a, b] = sessions(2);
    const lists = [[a, b], [b, a], [a], [b]] as BatchSession[][];
    const hashes = await Promise.all(lists.map(async (list) => (await cut(list))[0]?.contentHash));
    expect(new Set(hashes).size).toBe(4);
  });

  it('refuses a repeated interview id, also in another shard', async () => {
    const list = [...sessions(4), ...sessions(1)];
    await expect(cut(list, 2)).rejects.toThrow('sessions[4].interviewId is the same as that of sessions[0]');
  });
});

describe('cutShards with tokens', () => {
  const jwt = (interviewId: string) => `e30.${Buffer.from(JSON.stringify({ interviewId })).toString('base64url')}.x`;

  it('refuses a token of another session and names both sessions', async () => {
    const list = ['a', 'b', 'c'].map((interviewId) => ({ interviewId, sessionToken: jwt(interviewId) }));
    expect(await sizes(cut(list, 2))).toEqual([2, 1]);
    const shifted = list.map(({ interviewId }, at) => ({ interviewId, sessionToken: jwt('abc'.charAt((at + 1) % 3)) }));
    await expect(cut(shifted, 2)).rejects.toThrow('sessions[0].sessionToken belongs to session b, not to a');
  });

  it('refuses a repeated token, also in another shard, without showing it', async () => {
    const list = [...'abcde'].map((interviewId, at) => ({ interviewId, sessionToken: `token-${at % 4}` }));
    const refusal = cut(list, 2);
    await expect(refusal).rejects.toThrow('sessions[4].sessionToken is the same as that of sessions[0]');
    await expect(refusal).rejects.not.toThrow('token-0');
  });
});

describe('checkShardSize', () => {
  it.each([1, 2_000])('accepts a shard size of %i', (size) => {
    expect(checkShardSize(size, 2_000)).toBe(size);
  });

  it.each([0, -1, 1.5, Number.NaN, 2_001])('refuses a shard size of %d', (size) => {
    expect(() => checkShardSize(size, 2_000)).toThrow('shardSize must be a whole number from 1 to 2000');
  });
});

describe('SeenIds', () => {
  it('returns where each of 100,000 ids was first seen', () => {
    const seen = new SeenIds();
    const places = Array.from({ length: 100_000 }, (_, at) => seen.see(`id-${at}`, at));
    expect(places.every((place, at) => place === at)).toBe(true);
    expect([0, 4_711, 99_999].map((at) => seen.see(`id-${at}`, 5))).toEqual([0, 4_711, 99_999]);
  });
});

describe('Window', () => {
  const later = <T>(value: T, ms: number) => new Promise<T>((resolve) => setTimeout(resolve, ms, value));

  it.each([
    [true, ['slow', 'fast']],
    [false, ['fast', 'slow']],
  ])('yields results with inOrder %s as %j', async (inOrder, expected) => {
    const window = new Window<string>(2, inOrder);
    window.add(later('slow', 50));
    window.add(later('fast', 1));
    window.close();
    expect([(await window.take())?.value, (await window.take())?.value, await window.take()]).toEqual([
      ...expected,
      undefined,
    ]);
  });

  it('throws an error at once, also of a later result', async () => {
    const window = new Window<string>(2, true);
    window.add(new Promise(() => undefined));
    window.add(Promise.reject(new Error('broken')));
    await expect(window.take()).rejects.toThrow('broken');
  });

  it('ends the wait for room when it is closed', async () => {
    const window = new Window<string>(1, true);
    window.add(new Promise(() => undefined));
    const room = window.room();
    window.close(new Error('over'));
    await room;
    expect(window.isClosed).toBe(true);
  });
});
