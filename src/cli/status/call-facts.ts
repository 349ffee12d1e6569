import type { PendingCall } from '../../client/index.js';
import { moment } from '../shared/output.js';

/** The call to Incode that is in flight or waits for its next attempt. */
export function callFacts(call: PendingCall | null): Record<string, string | null> {
  if (call === null) return {};
  const { activity, attempt, paused, lastFailure, nextAttemptAt } = call;
  return {
    call: `${activity}, attempt ${attempt}${paused ? ', paused' : ''}`,
    'last failure': lastFailure && `${lastFailure.message} (${lastFailure.type})`,
    'next attempt': nextAttemptAt && moment(nextAttemptAt),
  };
}
