import { ActivityFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { PURGED_AFTER } from '../../contract/capture.js';
import type { Outcome } from '../../contract/index.js';
import { addEvent } from '../record.js';
import { capture } from './activities.js';
import type { Person } from './person.js';

/** Deletes at Incode what the plan says, once the outcome is final. A failure does not change the outcome. */
export async function purgeSession(person: Person): Promise<void> {
  const { record, plan } = person;
  const what = plan.purge;
  if (what === 'none' || record.session === null || record.purge) return;
  const kept = whyKept(record.onboarding?.outcome);
  if (kept !== null) {
    record.purge = { purged: null, notPurged: kept };
    return;
  }
  person.enter('purging');
  try {
    await capture.purge({ interviewId: record.session.interviewId, what });
    record.purge = { purged: what };
    addEvent(record, what === 'images' ? 'The images are deleted at Incode' : 'The session is deleted at Incode');
  } catch (error) {
    if (isCancellation(error)) throw error;
    record.purge = { purged: null, notPurged: whyNot(error) };
    addEvent(record, 'Nothing is deleted at Incode');
  }
}

function whyKept(outcome: Outcome | undefined): string | null {
  if (outcome === undefined) return 'another workflow completes the session';
  return PURGED_AFTER.includes(outcome) ? null : `the outcome is ${outcome}`;
}

function whyNot(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof TimeoutFailure) return 'Incode has not deleted it in time';
  return (cause ?? (error as Error)).message;
}
