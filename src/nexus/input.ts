import { asObject, onlyKeys } from '../contract/guards.js';
import { checkInterviewId } from '../contract/index.js';
import type { SessionInput } from './index.js';

/**
 * Checks which session an operation is about, and that no field is misspelt; the other fields are the client's to check.
 *
 * @throws InvalidInputError
 */
export function checkedSession<T extends SessionInput>(input: T, ...others: (keyof T & string)[]): T {
  onlyKeys('input', asObject('input', input), ['interviewId', ...others]);
  checkInterviewId(input.interviewId);
  return input;
}
