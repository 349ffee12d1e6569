import { describe, expect, it } from 'vitest';
import { isHiddenImage, pairFiles } from '../../../src/cli/capture/pair.js';
import { cases, fc, printable } from '../../support/property.js';

describe('pairFiles', () => {
  it('pairs files with every common extension, in the order of their names', () => {
    expect(pairFiles(['bobF.PNG', 'bobS.jfif', 'annS.jpg', 'annB.JPEG', 'annF.jpe'])).toEqual({
      people: [
        { reference: 'ann', front: 'annF.jpe', back: 'annB.JPEG', selfie: 'annS.jpg' },
        { reference: 'bob', front: 'bobF.PNG', selfie: 'bobS.jfif' },
      ],
      leftOver: [],
    });
  });

  it('does not mix a name with one that contains it, or that ends with a letter of a side', () => {
    const files = ['1F.jpg', '1B.jpg', '11F.jpg', '11B.jpg', 'JEFF.jpg', 'JEFB.jpg', 'JEFFF.jpg', '1FF.jpg'];
    expect(pairFiles(files)).toEqual({
      people: [
        { reference: '1', front: '1F.jpg', back: '1B.jpg' },
        { reference: '11', front: '11F.jpg', back: '11B.jpg' },
        { reference: '1F', front: '1FF.jpg' },
        { reference: 'JEF', front: 'JEFF.jpg', back: 'JEFB.jpg' },
        { reference: 'JEFF', front: 'JEFFF.jpg' },
      ],
      leftOver: [],
    });
  });

  it.each([
    ['annf.jpg', 'is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG'],
    ['.F.jpg', 'begins with a dot, so it is a hidden file'],
    ['F.jpg', 'is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG'],
    ['annF.heic', 'is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG'],
    ['annF', 'is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG'],
    ['annB.jpg', 'has no front, which every person needs'],
    ['ann smithF.jpg', 'has a name that cannot be a reference: it must be printable ASCII without spaces'],
    [`${'a'.repeat(151)}F.jpg`, 'has a name that cannot be a reference: it must have at most 150 characters'],
  ])('leaves %s over', (file, reason) => {
    expect(pairFiles([file])).toEqual({ people: [], leftOver: [{ file, reason }] });
  });

  it('leaves all files of a person over if two are for the same side', () => {
    const reason = 'belongs to ann, who has several files for the front: annF.jpg, annF.png';
    expect(pairFiles(['annF.png', 'annF.jpg', 'annB.jpg', 'bobF.jpg'])).toEqual({
      people: [{ reference: 'bob', front: 'bobF.jpg' }],
      leftOver: ['annB.jpg', 'annF.jpg', 'annF.png'].map((file) => ({ file, reason })),
    });
  });

  it('uses or names each file exactly once', () => {
    const name = fc.oneof(printable(3), fc.constantFrom('F', 'FF', 'B', '__proto__', 'constructor', 'ann b'));
    const file = fc
      .tuple(name, fc.constantFrom('F', 'B', 'S', 'f', ''), fc.constantFrom('.jpg', '.png', '.heic', ''))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(file, { maxLength: 30 }), (files) => {
        const { people, leftOver } = pairFiles(files);
        const used = people.flatMap(({ front, back, selfie }) =>
          [front, back, selfie].filter((each) => each !== undefined),
        );
        expect([...used, ...leftOver.map((each) => each.file)].sort()).toEqual([...files].sort());
        for (const { reference, front, back, selfie } of people) {
          expect(front?.startsWith(`${reference}F.`)).toBe(true);
          expect(back?.startsWith(`${reference}B.`) ?? true).toBe(true);
          expect(selfie?.startsWith(`${reference}S.`) ?? true).toBe(true);
        }
      }),
      cases(),
    );
  });
});

describe('isHiddenImage', () => {
  it('recognizes images of people, and no files of the system', () => {
    expect(['.F.jpg', '.annF.PNG', '.DS_Store', '._annF.jpg', 'annF.jpg'].filter(isHiddenImage)).toEqual([
      '.F.jpg',
      '.annF.PNG',
    ]);
  });
});
