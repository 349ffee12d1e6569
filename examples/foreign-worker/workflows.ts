import { proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_OPTIONS, type IncodeActivities } from 'temporal-incode/activity-options';
import type * as accounts from './accounts.js';

const { finishStatus } = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS.finishStatus);
const { confirmFinish } = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS.confirmFinish);
const { score } = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS.score);
const { openAccount } = proxyActivities<typeof accounts>({ startToCloseTimeout: '10 seconds' });

export interface SignUp {
  interviewId: string;
  sessionToken: string;
}

/** Finishes the person's session at Incode, and opens an account if it was approved. */
export async function signUp({ interviewId, sessionToken }: SignUp): Promise<{ account: string | null }> {
  const session = { interviewId, sessionToken };
  const { finish, toBeConfirmed } = await finishStatus(session);
  // Incode has answered, but it may have finished another session, whose token this is.
  if (toBeConfirmed) await confirmFinish({ ...session, finish });
  if (finish === null) return { account: null }; // The session has expired.
  // It may be finished or not: a person must look at it, and its score decides nothing.
  if (finish.confirmedBy === 'unconfirmed') return { account: null };

  let passed = finish.action === 'approved';
  if (finish.action === null) {
    // The session is finished, but Incode's answer got lost, or may be another session's: its score decides.
    const answer = await score({ ...session, readyWithinMs: 15 * 60_000 });
    passed = answer?.status === 'OK';
  }
  return { account: passed ? await openAccount(interviewId) : null };
}
