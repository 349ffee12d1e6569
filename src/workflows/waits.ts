import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { AwaitMilestoneInput } from '../activities/types.js';
import { type Decides, hasHint, whileHintsAreChecked } from './hints.js';
import { incode } from './incode.js';
import { NewRunIsDue, newRunIsDue } from './new-run.js';
import { applyStatus } from './record.js';
import type { Session } from './session.js';
import { withToken } from './tokens.js';

export interface Wait {
  /** Shown at the deadline's timer. */
  summary: string;
  isOver: () => boolean;
  /** Which webhooks would end it, once Incode has confirmed them. */
  decides: Decides;
  /** What to poll for meanwhile. */
  poll?: AwaitMilestoneInput['milestone'] | undefined;
}

/**
 * Waits until it is over or the stage's deadline has passed, whichever is first. Messages end it, and so does the poll; the
 * poll's own failure for good, such as a session that Incode has forgotten, fails the wait.
 */
export async function waitInStage(session: Session, wait: Wait): Promise<void> {
  const { record } = session;
  for (;;) {
    await whileHintsAreChecked(session, wait.decides, () => untilOverOrDue(session, wait));
    if (wait.isOver() || !wait.poll) return;
    const { deadline } = record;
    await lookOnce(session);
    // Unless it was moved during the look, it has passed.
    if (wait.isOver() || record.deadline === deadline) return;
  }
}

async function untilOverOrDue(session: Session, { summary, isOver, decides, poll }: Wait): Promise<void> {
  const polls = new CancellationScope();
  let failure: { error: unknown } | undefined;
  let isMoved = false;
  const polling = poll
    ? polls
        .run(() => pollFor(session, poll))
        .catch((error: unknown) => {
          failure = { error };
        })
    : Promise.resolve();
  const { record } = session;
  const isOverOrFailed = () => isOver() || failure !== undefined || newRunIsDue();
  let isDue = false;
  try {
    for (;;) {
      const { deadline } = record;
      const left = (deadline ?? 0) - Date.now();
      isDue ||= left <= 0 && !isMoved;
      if (isOver()) return;
      if (failure) throw failure.error;
      if (isDue && !hasHint(record, decides)) return;
      if (newRunIsDue()) throw new NewRunIsDue();
      if (isDue) {
        // A deadline does not count before Incode has said whether the webhook is true that would have ended the wait.
        await condition(() => isOverOrFailed() || !hasHint(record, decides) || record.deadline !== deadline);
        isDue = record.deadline === deadline;
      } else {
        const isEnded = await condition(isOverOrFailed, Math.max(1, left), { summary });
        // By its timer, and not by the clock (see BatchWaits). The deadline may have been moved while its timer ran.
        isDue = !isEnded && record.deadline === deadline;
      }
      isMoved = !isDue;
    }
  } finally {
    polls.cancel();
    // A workflow that ends, or goes on, leaves no open activity behind.
    await polling;
  }
}

async function pollFor(session: Session, milestone: AwaitMilestoneInput['milestone']): Promise<void> {
  const { onboardingStatus } = await withToken(session, (access) => incode.awaitMilestone({ ...access, milestone }));
  applyStatus(session.record, onboardingStatus, 'answer');
}

/** The webhook may be lost, and the last poll hours ago. Without an answer the deadline counts. */
async function lookOnce({ record, input }: Session): Promise<void> {
  if (record.token === null) return;
  try {
    const access = { interviewId: input.interviewId, sessionToken: record.token };
    applyStatus(record, (await incode.onboardingStatus(access)).onboardingStatus, 'answer');
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
}
