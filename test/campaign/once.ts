import type { Call } from '../../src/testing/index.js';
import type { Evidence, SessionEvidence, Violation } from './record.js';
import { SETTLE_MS } from './types.js';

/**
 * No session is finished twice as long as Incode's own status tells that once was enough: if two requests took effect, then
 * between them Incode has said "unfinished", and if nobody can have known that the first one was over, it has said so no sooner
 * than the settle time after that one came in.
 */
export function finishedTwice({ sessions, stalls }: Seen): Violation[] {
  return repeats(sessions)
    .filter(({ earlier, later }) => !stoodStill(stalls, earlier, later))
    .map(({ session, earlier, later }) => {
      const what =
        `finished again ${later.at - earlier.at} ms after a request that ${endOf(earlier)}, ` +
        'although Incode did not say in time that it was unfinished';
      return { invariant: 'once' as const, who: session.record.session.interviewId, what };
    });
}

/** How many of them are not counted, because this machine was too slow to tell. */
export function passedOver({ sessions, stalls }: Seen): number {
  return repeats(sessions).filter(({ earlier, later }) => stoodStill(stalls, earlier, later)).length;
}

type Seen = Pick<Evidence, 'sessions' | 'stalls'>;

function repeats(sessions: SessionEvidence[]): { session: SessionEvidence; earlier: Call; later: Call }[] {
  return sessions.flatMap((session) => {
    const finishes = session.incode.calls.filter(
      ({ operation, effectAt }) => operation === 'finishStatus' && effectAt !== null,
    );
    return finishes
      .slice(1)
      .map((later, index) => ({ session, earlier: finishes[index] as Call, later }))
      .filter(({ earlier, later }) => !toldUnfinished(session, earlier, later));
  });
}

function toldUnfinished({ incode }: SessionEvidence, earlier: Call, later: Call): boolean {
  const from = isOver(earlier) ? earlier.at : earlier.at + SETTLE_MS;
  return incode.calls.some((read) => {
    if (read.operation !== 'onboardingStatus' || read.httpStatus !== 200) return false;
    if (read.at < from || read.at > later.at) return false;
    // Either Incode lied, or the first request took effect only afterwards.
    return read.fault === 'body' || (read.effectAt !== null && read.effectAt <= (earlier.effectAt ?? 0));
  });
}

/** Incode has answered in a way that says so: the request runs no longer. */
function isOver({ httpStatus, fault }: Call): boolean {
  if (fault === 'truncated') return true;
  return httpStatus !== null && httpStatus !== 502 && httpStatus !== 504 && httpStatus !== 520;
}

function endOf(call: Call): string {
  if (call.fault === 'truncated') return 'was answered in part';
  return call.httpStatus === null ? `was not answered (${call.fault})` : `was answered ${call.httpStatus}`;
}

/** Then a request may have waited for longer than Incode's limit before it came in. */
function stoodStill(stalls: Evidence['stalls'], earlier: Call, later: Call): boolean {
  return stalls.some(({ from, to }) => to > earlier.at - SETTLE_MS && from < later.at && to - from > SETTLE_MS / 4);
}
