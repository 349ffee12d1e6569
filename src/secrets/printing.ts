const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Whoever prints the object, or writes it as JSON, sees that instead: a secret stands in it. */
export function redactWhenPrinted<T extends object>(value: T, shown: unknown): T {
  const show = { enumerable: false, configurable: true, value: () => shown };
  return Object.defineProperties(value, { toJSON: show, [INSPECT]: show });
}

export const HIDDEN = '(hidden)';
