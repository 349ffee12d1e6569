import { cut } from '../limits.js';
import type { Fields } from '../responses.js';

/** Incode's verbose score has about 60 values, and OCR values are fewer. */
const MAX_VALUES = 500;
const MAX_NAME_BYTES = 200;
const MAX_VALUE_BYTES = 500;
/** Incode's has 4 levels. */
const MAX_DEPTH = 8;

/**
 * Makes one level of an answer whose form Incode does not document: the verbose score, or OCR values. A name consists of the names above it, such as `idValidation.idSpecific.documentExpired.status`;
 * an entry of a list has its `key`. Values that are too many, too deep or empty are left out, and long ones are cut.
 */
export function flatAnswer(answer: Fields): Record<string, string> {
  const flat = new Map<string, string>();
  addAll(flat, '', answer, 0);
  return Object.fromEntries(flat);
}

function addAll(flat: Map<string, string>, prefix: string, value: unknown, depth: number): void {
  if (typeof value === 'object' && value !== null) {
    if (depth === MAX_DEPTH) return;
    for (const [name, part] of partsOf(value))
      addAll(flat, prefix === '' ? name : `${prefix}.${name}`, part, depth + 1);
  } else if (value !== null && flat.size < MAX_VALUES) {
    flat.set(cut(prefix, MAX_NAME_BYTES), cut(String(value), MAX_VALUE_BYTES));
  }
}

function partsOf(value: object): [name: string, part: unknown][] {
  if (!Array.isArray(value)) return Object.entries(value);
  return value.map((part, index) => {
    if (typeof part !== 'object' || part === null || typeof part.key !== 'string') return [String(index), part];
    const { key, ...rest } = part;
    return [key, rest];
  });
}
