import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashOf, split } from '../../../src/workflows/claims/hashes.js';

describe('hashOf', () => {
  it('gives 6 characters that need no escape in JSON', () => {
    for (const id of ['', 'a', 'ü', randomUUID()]) expect(hashOf(id)).toMatch(/^[\w-]{6}$/);
  });

  it('never changes, because claims of earlier versions contain it', () => {
    expect([hashOf(''), hashOf('5f3a9c0be7d1426f8a90c3d2'), hashOf('5f3a9c0be7d1426f8a90c3d3')]).toMatchInlineSnapshot(`
      [
        "D2o4y9",
        "2kiq1K",
        "OLTAyw",
      ]
    `);
  });

  it('gives different hashes to 20,000 ids that differ in a few characters', () => {
    const ids = Array.from({ length: 20_000 }, (_, number) => `5f3a9c0be7d1426f8a${number}`);
    expect(new Set(ids.map(hashOf)).size).toBe(ids.length);
  });

  it('uses every bit evenly', () => {
    const used = new Map<string, number>();
    for (let number = 0; number < 20_000; number += 1) {
      for (const [place, digit] of [...hashOf(`session-${number}`)].entries()) {
        used.set(`${place}${digit}`, (used.get(`${place}${digit}`) ?? 0) + 1);
      }
    }
    // 64 digits in 6 places, each used 312 times on average.
    expect(used.size).toBe(64 * 6);
    expect(Math.min(...used.values())).toBeGreaterThan(200);
    expect(Math.max(...used.values())).toBeLessThan(450);
  });
});

describe('split', () => {
  it('separates joined hashes', () => {
    const hashes = ['a', 'b', 'c'].map(hashOf);
    expect(split(hashes.join(''))).toEqual(hashes);
    expect(split('')).toEqual([]);
  });

  it('ignores an incomplete hash', () => {
    expect(split('abcdefghi')).toEqual(['abcdef']);
  });
});
