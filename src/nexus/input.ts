import { asObject, onlyKeys } from '../contract/guards.js';
import { checkInterviewId } from '../contract/index.js';
import type { SessionReference } from './index.js';

/**
 * Checks the interview id and refuses unknown fields. The client checks the other fields.
 *
 * @throws InvalidInputError
 */
export function checkedSession<T extends SessionReference>(input: T, ...others: (keyof T & string)[]): T {
  onlyKeys('input', asObject('input', input), ['interviewId', ...others]);
  checkInterviewId(input.interviewId);
  return input;
}
