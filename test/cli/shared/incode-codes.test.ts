import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODE_MEANINGS, withMeaning } from '../../../src/cli/shared/incode-codes.js';

describe('withMeaning', () => {
  it.each([
    ['refused 4019', 'refused 4019 (no face found)'],
    ['refused 3007 glare', 'refused 3007 (glare) glare'],
    ['refused 4077', 'refused 4077'],
    ['refused DOCUMENT_NOT_READABLE', 'refused DOCUMENT_NOT_READABLE'],
    ['refused 40190', 'refused 40190'],
    ['accepted', 'accepted'],
  ])('shows %s as %s', (answer, shown) => {
    expect(withMeaning(answer)).toBe(shown);
  });

  it('has a line in docs/troubleshooting.md for each code', () => {
    const page = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8');
    expect(Object.keys(CODE_MEANINGS).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });
});
