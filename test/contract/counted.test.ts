import { describe, expect, it } from 'vitest';
import { counted, countedItems } from '../../src/contract/counted.js';

describe('counted', () => {
  it.each([
    [0, '0 files'],
    [1, '1 file'],
    [2_000, '2,000 files'],
  ])('counts %d in the right number', (count, text) => {
    expect(counted(count, 'file')).toBe(text);
  });

  it('takes a plural that does not end with s', () => {
    expect([1, 2].map((count) => counted(count, 'person is', 'people are'))).toEqual(['1 person is', '2 people are']);
  });

  it('counts what a list consists of', () => {
    expect([countedItems(1, 'people'), countedItems(2, 'people'), countedItems(1, 'sessions')]).toEqual([
      '1 person',
      '2 people',
      '1 session',
    ]);
  });
});
