import type { SimulatorBehavior } from '../behavior.js';

/** Incode limits number and length, but does not document the values. */
const MAX_FIELDS = 100;
const MAX_LENGTH = 1_000;

/** @returns what is wrong with the custom fields of a session */
export function checkCustomFields(
  fields: Record<string, unknown>,
  { customFieldKeys }: SimulatorBehavior,
): string | undefined {
  const keys = Object.keys(fields);
  if (keys.length > MAX_FIELDS) return `More than ${MAX_FIELDS} customFields`;
  const wrong = keys.find((key) => typeof fields[key] !== 'string' || (fields[key] as string).length > MAX_LENGTH);
  if (wrong !== undefined) return `customFields.${wrong} must be a string of at most ${MAX_LENGTH} characters`;
  // `simulate` is a key of this simulator.
  const unknown = keys.find((key) => key !== 'simulate' && customFieldKeys !== null && !customFieldKeys.includes(key));
  return unknown === undefined ? undefined : `customFields.${unknown} is not defined for this account`;
}
