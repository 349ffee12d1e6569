export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string' && value !== '';
export const anyText: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';
export const duration: Check = (value) => typeof value === 'number' && value >= 0;
export const finiteDuration: Check = (value) => Number.isFinite(value) && Number(value) >= 0;
export const textOrNull: Check = (value) => value === null || anyText(value);
export const positive: Check = (value) => count(value) && value !== 0;
export const durationOrNever: Check = (value) => value === null || duration(value);
export const count: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
export function keyOf(keys: object): Check {
  return (value) => typeof value === 'string' && Object.hasOwn(keys, value);
}
export const httpStatus: Check = (value) => count(value) && Number(value) >= 200 && Number(value) <= 599;
export const headers: Check = (value) => isObject(value) && Object.values(value).every(anyText);
export const httpUrl: Check = (value) => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Checks the parts of an object. Keys with `!` are required.
 *
 * @throws TypeError naming the invalid, missing or unknown part
 */
export function check(what: string, value: unknown, keys: Record<string, Check>): void {
  if (!isObject(value)) throw new TypeError(`${what} must be an object`);
  for (const [key, valid] of Object.entries(keys)) {
    const name = key.replace('!', '');
    const part = value[name];
    if (part === undefined ? key.endsWith('!') : !valid(part)) {
      throw new TypeError(`${what}.${name} is ${part === undefined ? 'missing' : 'invalid'}`);
    }
  }
  const unknown = Object.keys(value).find((name) => !(name in keys) && !(`${name}!` in keys));
  if (unknown !== undefined) {
    const known = Object.keys(keys).map((key) => key.replace('!', ''));
    throw new TypeError(`${what}.${unknown} is unknown; known are ${known.join(', ')}`);
  }
}
