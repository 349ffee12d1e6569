import { resolveCapturePlan } from '../../src/contract/index.js';
import type { Call } from '../../src/testing/index.js';
import { stoodStill } from './once.js';
import type { PersonEvidence, PersonRun } from './people-record.js';
import type { Evidence, Violation } from './record.js';

/** Tolerance for the server's clock and for timers. */
const SLACK_MS = 250;

/** Every session that exists for a person is used or named, and another one is opened only after the wait for the webhook. */
export function unnamedSessions({ people, stalls }: Pick<Evidence, 'people' | 'stalls'>): Violation[] {
  return people.flatMap((person) => {
    const wrong = [
      ...ofNobody(person),
      ...person.runs.flatMap((run) => unnamed(person, run)),
      ...tooEarly(person, stalls),
    ];
    return wrong.map((what) => ({ invariant: 'orphan' as const, who: person.record.person.reference, what }));
  });
}

function ofNobody({ runs, opened }: PersonEvidence): string[] {
  return opened
    .filter(({ view }) => !runs.some(({ asked }) => asked.includes(String(view.externalCustomerId))))
    .map(({ view }) => `has the session ${view.interviewId}, which no run has asked for`);
}

/** A run that was cancelled or terminated has no result to name a session in. */
function unnamed({ opened }: PersonEvidence, { asked, report }: PersonRun): string[] {
  if (!report) return [];
  const { interviewId, suspectedOrphans } = report;
  const missing = opened
    .map(({ view }) => view)
    .filter((view) => asked.includes(String(view.externalCustomerId)) && view.interviewId !== interviewId)
    .filter((view) => !suspectedOrphans.some((orphan) => orphan.externalCustomerId === view.externalCustomerId))
    .map((view) => `does not name the session ${view.interviewId}`);
  const invented = suspectedOrphans.flatMap((orphan) => {
    const own = opened.filter(({ view }) => view.externalCustomerId === orphan.externalCustomerId);
    const isWrong = orphan.interviewId !== null && !own.some(({ view }) => view.interviewId === orphan.interviewId);
    return [
      ...(asked.includes(orphan.externalCustomerId)
        ? []
        : [`names ${orphan.externalCustomerId}, which nobody has asked for`]),
      ...(isWrong ? [`names the session ${orphan.interviewId}, which Incode has not opened for it`] : []),
      ...(own.some(({ view }) => view.interviewId === interviewId) ? [`names the used session ${interviewId}`] : []),
    ];
  });
  return [...missing, ...invented];
}

/**
 * By the simulator's own log of starts, whose ids differ for each request to open a session. A simulator that stands still sees the earlier
 * request long after it was sent.
 */
function tooEarly({ record, runs, starts }: PersonEvidence, stalls: Evidence['stalls']): string[] {
  const waitMs = resolveCapturePlan(record.person.plan).findSessionWithinMs;
  const requests = new Map<string, Call[]>();
  for (const call of starts) {
    const id = String(call.externalCustomerId);
    requests.set(id, [...(requests.get(id) ?? []), call]);
  }
  return runs.flatMap(({ asked }) => {
    const own = [...requests].filter(([id]) => asked.includes(id)).map(([, calls]) => calls);
    return own.slice(1).flatMap((later, index) => {
      const next = later[0] as Call;
      // An earlier session may be taken over later, when its webhook comes.
      const before = (own[index] as Call[]).filter(({ at }) => at <= next.at);
      const earlier = before.at(-1) as Call;
      const passed = next.at - earlier.at;
      const isExcused = isRefusedTakeOver(before) || stoodStill(stalls, { earlier, later: next });
      return passed >= waitMs - SLACK_MS || isExcused
        ? []
        : [`asked for another session ${passed} ms after a lost answer, and not after ${waitMs} ms`];
    });
  });
}

/** The webhook came in time, but Incode did not hand the session over. */
function isRefusedTakeOver(calls: Call[]): boolean {
  const { httpStatus } = calls.at(-1) as Call;
  return calls.length > 1 && (httpStatus === 400 || httpStatus === 404);
}
