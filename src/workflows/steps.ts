import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import { type FinishAnswer, isFinished } from '../contract/index.js';
import { isExpired } from '../contract/milestones.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { earlierRequest, finishedElsewhere, verification } from './earlier-requests.js';
import { activityRefusal } from './failures.js';
import { whileHintsAreChecked } from './hints.js';
import { incode } from './incode.js';
import { addEvent, applyStatus } from './record.js';
import type { Session } from './session.js';
import { withToken } from './tokens.js';

// The steps of a session that call Incode.

export async function finishSession(session: Session): Promise<void> {
  const { record, input } = session;
  session.enter('finishing');
  const { flowId } = input;
  record.earlierRequest = earlierRequest(session);
  const call = () =>
    withToken(
      session,
      (access) => incode.finishStatus({ ...access, ...omitUndefined({ flowId }), ...verification(record) }),
      {
        onRefusal: ({ lastSentAt, accepted }) => {
          // An earlier attempt of the refused call may still be in flight.
          record.earlierRequest = { lastSentAt: lastSentAt ?? null, ...omitUndefined({ accepted }) };
        },
        instead: () => finishedElsewhere(record),
      },
    );
  // With a token, the activity reads the status itself.
  const decides = (hint: string) => record.token === null && (isFinished(hint) || isExpired(hint));
  const { finish, onboardingStatus, toBeConfirmed } = await whileHintsAreChecked(session, decides, call);
  if (toBeConfirmed) await confirm(session, finish);
  applyStatus(record, onboardingStatus, 'answer');
  addEvent(
    record,
    finish ? `Finished: action ${finish.action}, confirmed by ${finish.confirmedBy}` : 'Expired at Incode',
  );
  record.answer = { finish };
}

/** Waits until the session's own status confirms the answer, which may be for another session. */
async function confirm({ record, input }: Session, finish: FinishAnswer | null): Promise<void> {
  addEvent(record, "Incode answered. The session's status must confirm that the answer is for this session");
  try {
    const token = record.token === null ? {} : { sessionToken: record.token };
    await incode.confirmFinish({ interviewId: input.interviewId, ...token, finish });
  } catch (error) {
    throw activityRefusal(error)?.failure ?? error;
  }
}

export async function closeSession(session: Session): Promise<void> {
  const { record } = session;
  session.enter('closing');
  try {
    await withToken(session, (access) => incode.closeSession(access));
    record.closed = true;
    addEvent(record, 'Closed');
  } catch (error) {
    // The session is finished, so a refused close must not cost its outcome.
    if (!(error instanceof ApplicationFailure)) throw error;
    record.closed = false;
    addEvent(record, `Not closed: ${error.message}`);
  }
}

export async function scoreSession(session: Session): Promise<void> {
  const { record, plan } = session;
  session.enter('scoring', plan.scoreDeadlineMs);
  for (;;) {
    const { deadline } = record;
    const scope = new CancellationScope();
    session.boundByDeadline = scope;
    try {
      const answer = await scope.run(() =>
        withToken(session, (access) =>
          incode.score({ ...access, readyWithinMs: Math.max(0, (deadline ?? 0) - Date.now()) }),
        ),
      );
      record.score = { answer };
      addEvent(record, answer ? `Score: ${answer.status}` : 'No score within the score deadline');
      return;
    } catch (error) {
      const isMoved = isCancellation(error) && record.deadline !== deadline;
      if (!isMoved) throw error;
    } finally {
      session.boundByDeadline = null;
    }
  }
}
