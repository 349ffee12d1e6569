import fc from 'fast-check';

/** Every run uses the same cases. `PROPERTY_SEED` selects others, `PROPERTY_RUNS` their number. A failure names its seed. */
const seed = Number(process.env.PROPERTY_SEED ?? 20_261_125);
const numRuns = Number(process.env.PROPERTY_RUNS ?? 100);

/** @param share the part of the usual number of cases, for slow tests */
export function cases(share = 1): fc.Parameters<unknown> {
  return { seed, numRuns: Math.ceil(numRuns * share) };
}

export { fc };

/** Printable ASCII without spaces, as the contract requires for ids. */
export function printable(maxLength: number, minLength = 1): fc.Arbitrary<string> {
  return fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength,
    maxLength,
  });
}
