import { expect, it } from 'vitest';
import { PEOPLE_COLUMNS } from '../../../src/cli/capture/run.js';

type Item = Parameters<NonNullable<typeof PEOPLE_COLUMNS.suspectedOrphans>>[0];

it('the columns of the images explain a code of Incode', () => {
  const images = { front: 'accepted', selfie: 'refused 4019' };
  const item = { reference: 'r', images } as Item;
  expect([PEOPLE_COLUMNS.front?.(item), PEOPLE_COLUMNS.back?.(item), PEOPLE_COLUMNS.selfie?.(item)]).toEqual([
    'accepted',
    undefined,
    'refused 4019 (no face found)',
  ]);
});

it.each<[parts: Partial<Item>, text: string]>([
  [{}, ''],
  [{ suspectedOrphans: [{ externalCustomerId: 'a', interviewId: 'i' }] }, 'i'],
  [
    {
      suspectedOrphans: [
        { externalCustomerId: 'a', interviewId: 'i' },
        { externalCustomerId: 'b', interviewId: null },
      ],
      moreSuspectedOrphans: 3,
    },
    'i b and 3 more',
  ],
])('the column of suspected orphans names each by its best id, and says how many more there are: %j', (parts, text) => {
  expect(PEOPLE_COLUMNS.suspectedOrphans?.({ reference: 'r', ...parts } as Item)).toBe(text);
});
