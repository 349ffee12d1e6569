import fc from 'fast-check';

/** The same cases in every run. `PROPERTY_SEED` plays others, as every night, `PROPERTY_RUNS` more of them; a failure names its seed. */
const seed = Number(process.env.PROPERTY_SEED ?? 20_261_125);
const numRuns = Number(process.env.PROPERTY_RUNS ?? 300);

/** @param share of the usual number of cases, for those that are slow */
export function cases(share = 1): fc.Parameters<unknown> {
  return { seed, numRuns: Math.ceil(numRuns * share) };
}

export { fc };

/** As the contract has it: printable ASCII without spaces. */
export function printable(maxLength: number, minLength = 1): fc.Arbitrary<string> {
  return fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength,
    maxLength,
  });
}
