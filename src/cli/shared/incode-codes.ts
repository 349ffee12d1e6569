/** What Incode's codes about an image mean. `docs/troubleshooting.md` says what to do about each. */
export const CODE_MEANINGS: Record<string, string> = {
  3006: 'blurred',
  3007: 'glare',
  3008: 'too few pixels',
  3009: 'wrong orientation',
  3010: 'compressed too much',
  4005: 'taken from a screen or paper',
  4010: 'no face found',
  4019: 'no face found',
  6000: 'the document cannot be processed',
};

const CODE = new RegExp(`^(refused) (${Object.keys(CODE_MEANINGS).join('|')})(?= |$)`);

/** Adds its meaning to a known code in Incode's answer about an image, such as `refused 4019`. */
export function withMeaning(answer: string): string {
  return answer.replace(CODE, (found, _, code: string) => `${found} (${CODE_MEANINGS[code]})`);
}
