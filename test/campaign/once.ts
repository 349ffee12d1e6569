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
    .filter((repeat) => !repeat.isAllowed && !stoodStill(stalls, repeat))
    .map(({ session, earlier, later }) => {
      const what =
        `finished again ${later.at - earlier.at} ms after a request that ${endOf(earlier)}, ` +
        'although Incode did not say in time that it was unfinished';
      return { invariant: 'once' as const, who: session.record.session.interviewId, what };
    });
}

/** How often a session was finished again after "unfinished", and how often this machine was too slow to tell whether it was. */
export function finishedAgain({ sessions, stalls }: Seen): { allowed: number; passedOver: number } {
  const all = repeats(sessions);
  return {
    allowed: all.filter(({ isAllowed }) => isAllowed).length,
    passedOver: all.filter((repeat) => !repeat.isAllowed && stoodStill(stalls, repeat)).length,
  };
}

/** A few come of any busy machine; where more are passed over than one of ten, "none is finished twice" has shown nothing. */
const FEW = 5;

export function isInconclusive(seen: Seen): boolean {
  const { passedOver } = finishedAgain(seen);
  const judged = repeats(seen.sessions).length - passedOver;
  return passedOver > Math.max(FEW, judged / 10);
}

type Seen = Pick<Evidence, 'sessions' | 'stalls'>;

/** Two requests to finish a session that both took effect. */
interface Repeat {
  session: SessionEvidence;
  earlier: Call;
  later: Call;
  /** Incode has said "unfinished" in between, and late enough. */
  isAllowed: boolean;
}

function repeats(sessions: SessionEvidence[]): Repeat[] {
  return sessions.flatMap((session) => {
    const finishes = session.incode.calls.filter(
      ({ operation, effectAt }) => operation === 'finishStatus' && effectAt !== null,
    );
    return finishes.slice(1).map((later, index) => {
      const earlier = finishes[index] as Call;
      return { session, earlier, later, isAllowed: toldUnfinished(session, earlier, later) };
    });
  });
}

function toldUnfinished({ incode }: SessionEvidence, earlier: Call, later: Call): boolean {
  const from = isOver(earlier) ? earlier.at : earlier.at + SETTLE_MS;
  return incode.calls.some((read) => {
    if (read.operation !== 'onboardingStatus' || !wasHeard(read)) return false;
    if (read.at < from || read.at > later.at) return false;
    // Either Incode lied, or the first request took effect only afterwards.
    return read.fault === 'body' || (read.effectAt !== null && read.effectAt <= (earlier.effectAt ?? 0));
  });
}

/** Of the answers that a fault spoils only some can be read. */
function wasHeard({ httpStatus, fault }: Call): boolean {
  return httpStatus === 200 && (fault === null || fault === 'body' || fault === 'latency');
}

/** What is 2xx, but no whole answer. */
const SPOILT = ['truncated', 'body', 'huge'];
const AMBIGUOUS = [204, 500, 502, 504, 520];

/** Incode has answered in a way that says so: the request has ended, and how. */
function isOver({ httpStatus, fault }: Call): boolean {
  return httpStatus !== null && !AMBIGUOUS.includes(httpStatus) && !SPOILT.includes(fault ?? '');
}

function endOf(call: Call): string {
  if (call.fault === 'truncated') return 'was answered in part';
  return call.httpStatus === null ? `was not answered (${call.fault})` : `was answered ${call.httpStatus}`;
}

/** Then a request may have waited for longer than Incode's limit before it came in. */
function stoodStill(stalls: Evidence['stalls'], { earlier, later }: Repeat): boolean {
  return stalls.some(({ from, to }) => to > earlier.at - SETTLE_MS && from < later.at && to - from > SETTLE_MS / 4);
}
