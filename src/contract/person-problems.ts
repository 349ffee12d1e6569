import { fieldChecks } from './capture.js';
import type { InvalidInputError } from './guards.js';

/** @returns every problem of a person, in the order of the fields */
export function personProblems(person: Record<string, unknown>): InvalidInputError[] {
  const problems: InvalidInputError[] = [];
  for (const check of fieldChecks(person, '')) {
    try {
      check();
    } catch (error) {
      problems.push(error as InvalidInputError);
    }
  }
  return problems;
}
