import type { Call } from '../../src/testing/index.js';
import type { Evidence, SessionEvidence, Violation } from './record.js';
import { SETTLE_MS } from './types.js';

/**
 * No session is finished twice, unless Incode itself reports a finished session as unfinished. If two requests took effect, Incode must
 * have answered "unfinished" between them. If the end of the first request was unknown, that answer must come after the settle time.
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

/** How often a session was finished again after "unfinished", and how often the machine was too slow to judge. */
export function finishedAgain({ sessions, stalls }: Seen): { allowed: number; passedOver: number } {
  const all = repeats(sessions);
  return {
    allowed: all.filter(({ isAllowed }) => isAllowed).length,
    passedOver: all.filter((repeat) => !repeat.isAllowed && stoodStill(stalls, repeat)).length,
  };
}

/** A busy machine causes a few ignored sessions. If more than one in ten is ignored, the invariant proves nothing. */
const FEW = 5;

export function isInconclusive(seen: Seen): boolean {
  const { passedOver } = finishedAgain(seen);
  const judged = repeats(seen.sessions).length - passedOver;
  return passedOver > Math.max(FEW, judged / 10);
}

type Seen = Pick<Evidence, 'sessions' | 'stalls'>;

/** Two finish requests that both took effect. */
interface Repeat {
  session: SessionEvidence;
  earlier: Call;
  later: Call;
  /** Incode answered "unfinished" in between, late enough. */
  isAllowed: boolean;
}

function repeats(sessions: SessionEvidence[]): Repeat[] {
  const once = new Map(sessions.map((session) => [session.record, session]));
  return [...once.values()].flatMap((session) => {
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
    // The status lagged, or the first request took effect after it.
    return read.fault === 'body' || (read.effectAt !== null && read.effectAt <= (earlier.effectAt ?? 0));
  });
}

/** The faults whose answers a client can still read. */
function wasHeard({ httpStatus, fault }: Call): boolean {
  return httpStatus === 200 && (fault === null || fault === 'body' || fault === 'latency');
}

/** Faults with a 2xx status but without a complete answer. */
const SPOILT = ['truncated', 'body', 'huge'];
const AMBIGUOUS = [204, 500, 502, 504, 520];

/** Incode's answer shows that the request has ended, and how. */
function isOver({ httpStatus, fault }: Call): boolean {
  return httpStatus !== null && !AMBIGUOUS.includes(httpStatus) && !SPOILT.includes(fault ?? '');
}

function endOf(call: Call): string {
  if (call.fault === 'truncated') return 'was answered in part';
  return call.httpStatus === null ? `was not answered (${call.fault})` : `was answered ${call.httpStatus}`;
}

/** During a stall a request may have waited for longer than Incode's limit before it arrived. */
export function stoodStill(stalls: Evidence['stalls'], { earlier, later }: Pick<Repeat, 'earlier' | 'later'>): boolean {
  return stalls.some(({ from, to }) => to > earlier.at - SETTLE_MS && from < later.at && to - from > SETTLE_MS / 4);
}
