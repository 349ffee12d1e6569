import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { AwaitMilestoneInput } from '../activities/types.js';
import { type Decides, hasHint, whileHintsAreChecked } from './hints.js';
import { incode } from './incode.js';
import { NewRunIsDue, newRunIsDue } from './new-run.js';
import { applyStatus } from './record.js';
import type { Session } from './session.js';
import { withToken } from './tokens.js';

export interface Wait {
  /** Summary of the deadline's timer in the Web UI. */
  summary: string;
  isOver: () => boolean;
  /** Selects the statuses of webhooks that end the wait once Incode has confirmed them. */
  decides: Decides;
  /** Milestone to poll for during the wait. */
  poll?: AwaitMilestoneInput['milestone'] | undefined;
}

/**
 * Waits until `isOver` or the stage's deadline. Messages and the poll end the wait. A final failure of the poll fails it, for example if
 * Incode does not know the session.
 */
export async function waitInStage(session: Session, wait: Wait): Promise<void> {
  const { record } = session;
  for (;;) {
    await whileHintsAreChecked(session, wait.decides, () => untilOverOrDue(session, wait));
    if (wait.isOver() || !wait.poll) return;
    const { deadline } = record;
    await readOnce(session);
    // The deadline has passed unless an update moved it during the read.
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
        // Before the deadline counts, Incode has to confirm or contradict a webhook that would have ended the wait.
        await condition(() => isOverOrFailed() || !hasHint(record, decides) || record.deadline !== deadline);
        isDue = record.deadline === deadline;
      } else {
        const isEnded = await condition(isOverOrFailed, Math.max(1, left), { summary });
        // The timer decides, not the clock (see BatchWaits). An update may have moved the deadline meanwhile.
        isDue = !isEnded && record.deadline === deadline;
      }
      isMoved = !isDue;
    }
  } finally {
    polls.cancel();
    // A workflow must have no open activity when it ends or continues as new.
    await polling;
  }
}

async function pollFor(session: Session, milestone: AwaitMilestoneInput['milestone']): Promise<void> {
  const { onboardingStatus } = await withToken(session, (access) => incode.awaitMilestone({ ...access, milestone }));
  applyStatus(session.record, onboardingStatus, 'answer');
}

/** Reads the status once, because a webhook may be lost and the last poll may be hours ago. Without an answer, the deadline counts. */
async function readOnce({ record, input }: Session): Promise<void> {
  if (record.token === null) return;
  try {
    const access = { interviewId: input.interviewId, sessionToken: record.token };
    applyStatus(record, (await incode.onboardingStatus(access)).onboardingStatus, 'answer');
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
}
