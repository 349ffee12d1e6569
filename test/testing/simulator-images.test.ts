import { describe, expect, it } from 'vitest';
import { decodeBase64, factsOf, isTooSmall } from '../../src/testing/simulator/capture/image.js';
import { jpeg, png } from '../support/images.js';
import { cases, fc } from '../support/property.js';
import { digestOf } from './simulator-client.js';

describe('factsOf', () => {
  it('reads type, size and digest of a PNG', () => {
    const image = png({ width: 1_280, height: 800 });
    expect(factsOf(image)).toEqual({
      sha256: digestOf(image),
      bytes: image.length,
      type: 'png',
      width: 1_280,
      height: 800,
    });
  });

  it('reads the size of a JPEG after its comment', () => {
    expect(factsOf(jpeg({ width: 640, height: 1_024 }))).toMatchObject({ type: 'jpeg', width: 640, height: 1_024 });
  });

  it('reads the size of a JPEG with fill bytes before a marker', () => {
    const image = jpeg({ width: 640, height: 1_024 });
    const filled = Buffer.concat([image.subarray(0, 2), Buffer.from([0xff, 0xff]), image.subarray(2)]);
    expect(factsOf(filled)).toMatchObject({ width: 640, height: 1_024 });
  });

  it.each([
    ['a PNG that ends in its header', png({ width: 1, height: 1 }).subarray(0, 20), 'png'],
    ['a JPEG without a frame', jpeg({ width: 1, height: 1 }).subarray(0, 12), 'jpeg'],
    ['a JPEG with a broken segment', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]), 'jpeg'],
    ['text', Buffer.from('a picture'), null],
    ['nothing', Buffer.alloc(0), null],
  ])('does not know the size of %s', (_, image, type) => {
    expect(factsOf(image)).toMatchObject({ type, width: null, height: null });
  });

  it('ends for every sequence of bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const start = fc.constantFrom(
      Buffer.from([0xff, 0xd8, 0xff]),
      png({ width: 1, height: 1 }),
      Buffer.from([0xff, 0xd8, 0xff, 0xff]),
    );
    fc.assert(
      fc.property(start, bytes, (head, tail) => {
        const { width, height } = factsOf(Buffer.concat([head, tail]));
        expect(width === null).toBe(height === null);
      }),
      cases(),
    );
  });
});

describe('isTooSmall', () => {
  it.each([
    [999, 999, true],
    [1_000, 10, false],
    [10, 1_000, false],
  ])('isTooSmall of an image of %i by %i pixels is %s', (width, height, tooSmall) => {
    expect(isTooSmall(factsOf(png({ width, height })))).toBe(tooSmall);
  });

  it('passes an image of unknown size', () => {
    expect(isTooSmall(factsOf(Buffer.from('a picture')))).toBe(false);
  });
});

describe('decodeBase64', () => {
  it('decodes text with line breaks', () => {
    expect(decodeBase64('YSBw\naWN0dXJl\n')?.toString()).toBe('a picture');
  });

  it.each(['', ' ', 'data:image/png;base64,AAAA', 'not base64!'])('refuses %j', (text) => {
    expect(decodeBase64(text)?.length ?? 0).toBe(0);
  });
});
