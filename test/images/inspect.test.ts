import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EndSearch, HeaderSearch, hasEnd, inspectHeader } from '../../src/images/inspect.js';
import { jpeg, png } from '../support/images.js';
import { cases, fc } from '../support/property.js';

describe('inspectHeader', () => {
  it.each([
    ['a JPEG', jpeg({ width: 1_000, height: 10 }), { type: 'jpeg', width: 1_000, height: 10 }],
    ['a high JPEG', jpeg({ width: 10, height: 65_000 }), { type: 'jpeg', width: 10, height: 65_000 }],
    ['a JPEG after long metadata', jpeg({ metadata: 300_000 }), { type: 'jpeg', width: 1_200, height: 800 }],
    ['a PNG', png({ width: 999, height: 1_000 }), { type: 'png', width: 999, height: 1_000 }],
  ])('reads type and size of %s', (_, bytes, facts) => {
    expect(inspectHeader(bytes, true)).toEqual(facts);
  });

  it.each([
    ['a JPEG', jpeg({ width: 999, height: 999 })],
    ['a PNG', png({ width: 999, height: 640 })],
  ])('refuses %s with fewer than 1,000 pixels on both sides', (_, bytes) => {
    expect(inspectHeader(bytes, true)).toEqual(['tooFewPixels', expect.stringContaining('at least 1,000 on one side')]);
  });

  it.each([
    ['text', Buffer.from('front.jpg')],
    ['a GIF', Buffer.from('GIF89a\x00\x10\x00\x10', 'latin1')],
    ['HEIC, as phones write it under the name .jpg', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')],
    ['a PDF', Buffer.from('%PDF-1.7')],
    ["Apple's variant of PNG", Buffer.concat([png().subarray(0, 8), Buffer.from('\0\0\0\x04CgBI', 'latin1'), png()])],
    [
      'a JPEG without a size',
      Buffer.concat([jpeg().subarray(0, 20), Buffer.from([0xff, 0xda]), deflateSync('x'), Buffer.from([0xff, 0xd9])]),
    ],
    ['a JPEG of 0 × 0 pixels', jpeg({ width: 0, height: 0 })],
    ['a PNG of 0 × 0 pixels', png({ width: 0, height: 0 })],
  ])('refuses %s', (_, bytes) => {
    expect(inspectHeader(bytes, true)).toEqual(['wrongType', expect.any(String)]);
  });

  it('takes every image that is cut before its size in pixels as incomplete, because it may still be written', () => {
    for (const bytes of [jpeg({ metadata: 100 }), png()]) {
      for (let length = 0; length < 24; length += 1) {
        expect(inspectHeader(bytes.subarray(0, length), true)).toEqual(['truncated', expect.any(String)]);
      }
    }
  });

  it('asks for more of a JPEG that may have its size later', () => {
    expect(inspectHeader(jpeg({ metadata: 100_000 }).subarray(0, 65_536), false)).toBeUndefined();
  });

  it('ends for every content after a JPEG or PNG signature', () => {
    const signature = fc.constantFrom(jpeg().subarray(0, 3), png().subarray(0, 8), png().subarray(0, 16));
    // Markers and lengths that send a parser in circles.
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom(
        [0xff],
        [0xff, 0xe1, 0, 0],
        [0xff, 0xe1, 0, 1],
        [0xff, 0x01],
        [0xff, 0xc0],
        [0xff, 0xff, 0xff, 0xff],
      ),
    );
    fc.assert(
      fc.property(signature, fc.array(piece, { maxLength: 200 }), fc.boolean(), (beginning, pieces, isWhole) => {
        const found = inspectHeader(Buffer.concat([beginning, ...pieces.map((part) => Buffer.from(part))]), isWhole);
        if (found && 'type' in found) expect(Math.max(found.width, found.height)).toBeGreaterThanOrEqual(1_000);
      }),
      cases(),
    );
  });

  it.each([
    ['fill bytes', 0xff],
    ['zeros', 0],
    ['empty segments', 0xe1],
  ])('takes each byte of a hostile JPEG once: 7 MB of %s', (_, value) => {
    const hostile = Buffer.alloc(7_000_000, value);
    hostile.set([0xff, 0xd8, 0xff]);
    expect(inspectHeader(hostile, true)).toEqual(['truncated', expect.any(String)]);
  });
});

describe('hasEnd', () => {
  it('finds the end mark of a whole JPEG or PNG', () => {
    expect(hasEnd('jpeg', jpeg())).toBe(true);
    expect(hasEnd('png', png())).toBe(true);
  });

  it('does not take the end mark of a thumbnail for the end of the image', () => {
    const whole = jpeg({ metadata: 60_000, bytes: 400_000 });
    expect(hasEnd('jpeg', whole.subarray(0, 300_000))).toBe(false);
    expect(hasEnd('jpeg', whole)).toBe(true);
  });
});

/** The parts of an image, as a source may yield them. */
function partsOf(bytes: Uint8Array, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

describe('HeaderSearch', () => {
  const searched = (bytes: Uint8Array, size: number) => {
    const header = new HeaderSearch();
    for (const part of partsOf(bytes, size)) header.add(part);
    return header;
  };

  it.each([
    ['a JPEG', jpeg(), { type: 'jpeg', width: 1_200, height: 800 }],
    ['a JPEG after long metadata', jpeg({ metadata: 300_000 }), { type: 'jpeg', width: 1_200, height: 800 }],
    ['a PNG', png(), { type: 'png', width: 1_200, height: 800 }],
    ['a GIF', Buffer.from('GIF89a'.padEnd(100)), ['wrongType', 'is not a JPEG or PNG']],
  ])('finds type and size of %s in parts of any size', (_, bytes, facts) => {
    for (const size of [1, 7, 4_096, bytes.length]) expect(searched(bytes, size).end()).toEqual(facts);
  });

  it('judges an image with fewer bytes than a header at its end', () => {
    const header = searched(png().subarray(0, 20), 20);
    expect(header.found).toBeUndefined();
    expect(header.end()).toEqual(['truncated', 'is incomplete: it ended early or is still being written']);
  });
});

describe('EndSearch', () => {
  const isComplete = (type: 'jpeg' | 'png', bytes: Uint8Array, size: number) => {
    const end = new EndSearch();
    for (const part of partsOf(bytes, size)) end.add(part);
    return end.found(type);
  };

  it('finds in parts what hasEnd finds in the whole image', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom([0xff, 0xd9], [0xff], [0xd9], Buffer.from('IEND'), Buffer.from('IE')),
      // Longer than the part near the beginning that may hold a thumbnail.
      fc.constantFrom(new Uint8Array(66_000), new Uint8Array(140_000)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.constantFrom(997, 65_536), (pieces, size) => {
        const bytes = Buffer.concat(pieces.map((part) => Buffer.from(part)));
        for (const type of ['jpeg', 'png'] as const) expect(isComplete(type, bytes, size)).toBe(hasEnd(type, bytes));
      }),
      cases(),
    );
  });

  it.each([
    ['jpeg', jpeg({ bytes: 300_000 })],
    ['png', png()],
  ] as const)('finds the end mark of a %s that is split between two parts', (type, bytes) => {
    for (let cut = 1; cut <= 16; cut += 1) {
      const end = new EndSearch();
      end.add(bytes.subarray(0, -cut));
      expect(end.found(type)).toBe(hasEnd(type, bytes.subarray(0, -cut)));
      end.add(bytes.subarray(-cut));
      expect(end.found(type)).toBe(true);
    }
  });
});
