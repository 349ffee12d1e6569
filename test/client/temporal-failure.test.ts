import { ServiceError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { isAway } from '../../src/client/temporal-failure.js';

/** A gRPC error as the SDK wraps it. */
function refusal(code: number, details: string): Error {
  return new ServiceError('Workflow Update failed', {
    cause: Object.assign(new Error(details), { code, details, metadata: {} }),
  });
}

it.each([
  [9, 'unexpected workflow task failure', true],
  [9, 'Unable to perform workflow execution update due to Workflow Task in failed state.', true],
  [9, 'workflow is paused', false],
  [3, 'Update id is too long', false],
  [14, 'connect ECONNREFUSED', true],
])('isAway of a wrapped error with status %i "%s" is %s', (code, details, expected) => {
  expect(isAway(refusal(code, details))).toBe(expected);
});
