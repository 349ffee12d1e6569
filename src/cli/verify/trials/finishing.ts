import { printNotice } from '../../shared/output.js';
import type { OwnSession } from '../own-sessions.js';
import { isFinishedStatus, isScoreReady, isSuccess, scoreStatusOf, statusOf } from '../reply.js';
import { attempt, delayUntil, finish, readScore, readStatus, STOPPED, type Trial, withoutEachHeader } from './trial.js';

/**
 * Finishes a session without documents or, if that is refused, the session with documents.
 *
 * @returns the finished session
 */
export async function tryFirstFinish(
  trial: Trial,
  empty: OwnSession,
  captured: OwnSession | undefined,
): Promise<OwnSession | undefined> {
  const { seen } = trial;
  printNotice('Finishing a session without documents');
  await attempt(trial, ['emptyFinish'], async () => {
    seen.emptyFinish = await finishNow(trial, empty);
  });
  if (seen.emptyFinish && isSuccess(seen.emptyFinish)) {
    seen.finish = seen.emptyFinish;
    return empty;
  }
  if (!captured) return undefined;
  printNotice('Finishing a session with blank pictures');
  await attempt(trial, ['finish'], async () => {
    seen.finish = await finishNow(trial, captured);
  });
  return seen.finish && isSuccess(seen.finish) ? captured : undefined;
}

function finishNow(trial: Trial, session: OwnSession) {
  trial.listener?.expect(session.interviewId);
  return finish(trial, session);
}

/** Measures how long status and score take after the finish. */
export async function measureDelays(trial: Trial, finished: OwnSession): Promise<void> {
  const { seen } = trial;
  printNotice('Waiting for the status and the score after the finish');
  await attempt(trial, ['statusDelay'], async () => {
    seen.statusDelay = await delayUntil(trial, async () => {
      const last = statusOf(await readStatus(trial, finished));
      return { done: isFinishedStatus(last), last };
    });
  });
  await attempt(trial, ['scoreDelay'], async () => {
    seen.scoreDelay = await delayUntil(trial, async () => {
      const reply = await readScore(trial, finished);
      return { done: isScoreReady(reply), last: scoreStatusOf(reply) };
    });
  });
}

export async function trySecondFinish(trial: Trial, finished: OwnSession): Promise<void> {
  const { seen } = trial;
  await attempt(trial, ['secondFinish'], async () => {
    if (!seen.finish) return;
    const second = await finishNow(trial, finished);
    // If the status never said finished, it proves nothing about the second finish.
    const wasFinished = seen.statusDelay?.ms != null;
    const statusAfter = wasFinished ? statusOf(await readStatus(trial, finished)) : undefined;
    seen.secondFinish = { first: seen.finish, second, statusAfter };
  });
}

export async function tryClosing(trial: Trial, finished: OwnSession | undefined, open: OwnSession): Promise<void> {
  const { seen, sessions, signal } = trial;
  if (finished) {
    await attempt(trial, ['closeAfterFinish'], async () => {
      const reply = await sessions.close(finished, signal);
      const wasFinished = seen.statusDelay?.ms != null;
      seen.closeAfterFinish = {
        reply,
        statusAfter: wasFinished ? statusOf(await readStatus(trial, finished)) : undefined,
      };
    });
  }
  await attempt(trial, ['closedFinish'], async () => {
    const { status } = await sessions.close(open, signal);
    if (open.closed) seen.closedFinish = await finish(trial, open);
    else trial.whyNot.closedFinish = `closing was refused, ${status}`;
  });
}

/** Closes a closed session again, which changes nothing, without each of the required headers. */
export async function tryHeadersOfPost(trial: Trial, sessions: (OwnSession | undefined)[]): Promise<void> {
  const { seen, whyNot, signal } = trial;
  const closed = sessions.find((session) => session?.closed);
  if (!closed) {
    whyNot.postWithoutHeader ??= signal.aborted ? STOPPED : 'no session could be closed';
    return;
  }
  await attempt(trial, ['postWithoutHeader'], async () => {
    const again = await trial.sessions.close(closed, signal);
    // A refusal without a header would then say nothing about the header.
    if (!isSuccess(again)) whyNot.postWithoutHeader = `a second close was refused, ${again.status}`;
    else seen.postWithoutHeader = await withoutEachHeader((without) => trial.sessions.close(closed, signal, without));
  });
}

/** Waits until the session expires by itself. */
export async function tryExpiry(trial: Trial, session: OwnSession | undefined): Promise<void> {
  const { seen, whyNot, waitForExpiryMs } = trial;
  if (waitForExpiryMs === undefined || !session) {
    whyNot.expiredFinish = waitForExpiryMs === undefined ? 'needs --wait-for-expiry' : 'no session could be opened';
    return;
  }
  printNotice('Waiting for a session to expire');
  await attempt(trial, ['expiredFinish'], async () => {
    const { ms } = await delayUntil({ ...trial, waitMs: waitForExpiryMs }, async () => {
      const last = statusOf(await readStatus(trial, session));
      return { done: last?.trim().toUpperCase() === 'EXPIRED', last };
    });
    if (ms === null) whyNot.expiredFinish = 'no session expired in that time';
    else seen.expiredFinish = await finish(trial, session);
  });
}
