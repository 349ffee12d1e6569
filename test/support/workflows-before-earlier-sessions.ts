import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURES } from '../../src/contract/index.js';

/** Refuses the field `earlierSessions`, as workers did before they knew it. */
export async function captureOnboarding(input: object): Promise<never> {
  const isNew = 'earlierSessions' in input;
  throw ApplicationFailure.nonRetryable(
    isNew ? 'input has the unknown field earlierSessions' : 'This test starts nobody without earlier sessions',
    isNew ? FAILURES.invalidInput : 'Unexpected',
    { field: 'input' },
  );
}
