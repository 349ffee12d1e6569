import { keepSecret, secretFile } from '../secrets/index.js';
import type { OnWarning } from './types.js';

/** How to split, check and convert the secrets of a variable. */
export interface SecretRule<T> {
  /** Separates several secrets in the variable. A file has one a line. @default only one secret is allowed */
  separator?: string;
  valid: RegExp;
  /** The rule in words, as it follows the variable's name in an error. */
  rule: string;
  as: (values: string[]) => T;
}

/**
 * @returns `undefined` if neither variable is set
 * @throws Error that names the variable and does not repeat its value
 */
export function secretOf<T>(
  { name, inline, file }: { name: string; inline: string | undefined; file: string | undefined },
  { separator, valid, rule, as }: SecretRule<T>,
  onWarning: OnWarning | undefined,
): ((refused?: unknown) => T) | undefined {
  const fileName = `${name}_FILE`;
  if (file !== undefined && inline !== undefined) throw new Error(`${name} and ${fileName} exclude each other`);

  function parse(source: string, parts: string[]): T {
    const values = parts.map((part) => part.trim()).filter(Boolean);
    if (values.length === 0) throw new Error(`${source} is empty`);
    if (values.some((value) => !valid.test(value))) throw new Error(`${source} ${rule}`);
    for (const value of values) for (const secret of [value, value.slice(value.indexOf(':') + 1)]) keepSecret(secret);
    return as(values);
  }

  if (inline !== undefined) {
    const value = parse(name, separator === undefined ? [inline] : inline.split(separator));
    return () => value;
  }
  if (file === undefined) return undefined;
  const secrets = secretFile(file, {
    parse: (text) => parse(fileName, separator === undefined ? [text] : text.split('\n')),
    unreadable: (code) => new Error(`${fileName} names a file that cannot be read (${code})`),
    onWarning,
  });
  return (refused) => (refused === undefined ? secrets.value() : secrets.latest());
}
