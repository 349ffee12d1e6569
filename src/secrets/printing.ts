const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Printing the object, or writing it as JSON, shows `shown` instead of its secrets. */
export function redactWhenPrinted<T extends object>(value: T, shown: unknown): T {
  const show = { enumerable: false, configurable: true, value: () => shown };
  return Object.defineProperties(value, { toJSON: show, [INSPECT]: show });
}

export const HIDDEN = '(hidden)';
