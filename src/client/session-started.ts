import type { Client } from '@temporalio/client';
import {
  CAPTURE_SIGNALS,
  captureWorkflowId,
  InvalidInputError,
  referenceOf,
  type SessionStartedInput,
} from '../contract/index.js';
import { undeliverable } from './failures.js';
import { withTemporalErrors } from './temporal-failure.js';

/**
 * Passes a session from Incode's Session Started webhook to the workflow `captureOnboarding` that opened it. Safe to repeat.
 *
 * @returns `unknownSession` if no such workflow exists, `ended` if it has ended
 * @throws InvalidInputError if the `externalCustomerId` is not of such a workflow
 * @throws TemporalUnavailableError: answer the webhook with an error so that Incode sends it again
 */
export async function sessionStarted(
  temporal: Client,
  { interviewId, externalCustomerId }: SessionStartedInput,
): Promise<'delivered' | 'ended' | 'unknownSession'> {
  const reference = referenceOf(externalCustomerId);
  if (reference === undefined) {
    throw new InvalidInputError('externalCustomerId', 'must be a reference, "~" and 12 hexadecimal digits');
  }
  return withTemporalErrors(temporal, async () => {
    try {
      const handle = temporal.workflow.getHandle(captureWorkflowId(reference));
      await handle.signal<[SessionStartedInput]>(CAPTURE_SIGNALS.sessionStarted, { interviewId, externalCustomerId });
      return 'delivered';
    } catch (error) {
      const reason = undeliverable(error);
      if (reason) return reason;
      throw error;
    }
  });
}
