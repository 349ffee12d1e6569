import { InvalidInputError } from '../../src/contract/index.js';

interface Thrown {
  name?: string;
  type?: string;
  field?: string;
  message?: string;
  cause?: { type?: string; message?: string };
}

/** Returns the error of a promise. Fails if the promise resolves. */
export async function thrown(promise: Promise<unknown>): Promise<Thrown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Thrown;
  throw new Error(`Expected a failure, got ${JSON.stringify(outcome.value)}`);
}

/** The field that a check of an input refuses, or `accepted`. */
export function fieldOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.field;
    throw error;
  }
  return 'accepted';
}
