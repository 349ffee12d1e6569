import { describe, expect, it, vi } from 'vitest';
import { memoizedBy, secretMatcher } from '../../src/secrets/matcher.js';

describe('secretMatcher', () => {
  it.each([
    ['a', 0],
    ['bb', 1],
    ['', -1],
    ['A', -1],
    ['ab', -1],
  ])('finds %j at %i', (value, position) => {
    expect(secretMatcher(['a', 'bb'])(value)).toBe(position);
  });

  it('finds nothing in an empty list', () => {
    expect(secretMatcher([])('')).toBe(-1);
  });

  it('reads the current secrets each time', () => {
    const lists = [['a'], ['b', 'a']];
    let at = 0;
    const find = secretMatcher(() => lists[at] ?? []);
    expect([find('a'), find('b')]).toEqual([0, -1]);
    at = 1;
    expect([find('a'), find('b')]).toEqual([1, 0]);
  });
});

describe('memoizedBy', () => {
  it('computes the result again only when there is another list', () => {
    const derive = vi.fn((list: readonly string[]) => list.join());
    let list = ['a', 'b'];
    const get = memoizedBy(() => list, derive);
    expect([get(), get()]).toEqual(['a,b', 'a,b']);
    expect(derive).toHaveBeenCalledTimes(1);
    list = ['c'];
    expect(get()).toBe('c');
    expect(derive).toHaveBeenCalledTimes(2);
  });
});
