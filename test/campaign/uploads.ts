import type { ImageSide } from '../../src/contract/index.js';
import type { Call, SimulatedOperation } from '../../src/testing/index.js';
import type { OpenedSession, PersonEvidence } from './people-record.js';
import type { Evidence, Interval, Violation } from './record.js';

const UPLOADS: [SimulatedOperation, 'front' | 'back' | 'face', ImageSide][] = [
  ['addFrontId', 'front', 'front'],
  ['addBackId', 'back', 'back'],
  ['addFace', 'face', 'selfie'],
];

/** A busy machine reports an answer to the Temporal server within this time. */
const REPORT_MS = 5_000;

type Seen = Pick<Evidence, 'people' | 'interruptions' | 'stalls'>;

/**
 * Each image is uploaded at most once per attempt that may have failed, by the simulator's log of calls. An upload follows another one of
 * the same side of the session only if
 * - the answer to that one was lost, incomplete, or an error,
 * - a worker or the server was away before the answer was reported,
 * - an operator reset or paused the activity, or the workflow was reset, or
 * - another image was handed in.
 *
 * The history must count an attempt for every upload, and Incode must be told of each repeat.
 */
export function uploadedTwice(seen: Seen): Violation[] {
  return seen.people.flatMap((person) => {
    const wrong = [
      ...person.opened.flatMap((session) => UPLOADS.flatMap((upload) => repeated(seen, person, session, upload))),
      ...UPLOADS.flatMap((upload) => moreThanAttempts(person, upload)),
    ];
    return wrong.map((what) => ({ invariant: 'upload' as const, who: person.record.person.reference, what }));
  });
}

function repeated(
  seen: Seen,
  { record }: PersonEvidence,
  { view, captures, calls }: OpenedSession,
  [operation, part, side]: (typeof UPLOADS)[number],
): string[] {
  const own = calls.filter((call) => call.operation === operation);
  const groundless = own.slice(1).filter((later, index) => {
    const earlier = own[index] as Call;
    if (mayHaveFailed(earlier) || record.repeated) return false;
    const answeredAt = earlier.effectAt ?? earlier.at;
    const isAway = ({ from, to }: Interval) => from <= answeredAt + REPORT_MS && to >= earlier.at;
    const isBetween = (at: number) => at >= earlier.at - REPORT_MS && at <= later.at;
    const isReplaced = record.replacements.some(
      (replacement) => replacement.side === side && isBetween(replacement.at),
    );
    return !isReplaced && !record.operatedAt.some(isBetween) && ![...seen.interruptions, ...seen.stalls].some(isAway);
  });
  const first = captures.uploads.filter((upload) => upload.part === part && !upload.retry).length;
  // A 401 that came although the upload took effect says that nothing was taken.
  const isUntold = part !== 'face' && first > 1 && !own.some(({ httpStatus }) => httpStatus === 401);
  return [
    ...groundless.map(({ at }) => `uploaded the ${side} to ${view.interviewId} again at ${at} after a good answer`),
    ...(isUntold ? [`uploaded the ${side} to ${view.interviewId} again without saying so`] : []),
  ];
}

/** The faults whose answers a client can still read. A refused image is an answer, too. */
function mayHaveFailed({ httpStatus, fault }: Call): boolean {
  return !(fault === null || fault === 'latency') || !(httpStatus === 200 || httpStatus === 400);
}

/** The history counts no attempts of activities that were reset, or whose end it does not have. */
function moreThanAttempts(
  { record, runs, opened }: PersonEvidence,
  [operation, , side]: (typeof UPLOADS)[number],
): string[] {
  const isCounted = runs.every(({ status }) => status === 'completed' || status === 'failed' || status === 'continued');
  if (!isCounted || record.operatedAt.length > 0 || record.repeated) return [];
  const uploads = opened.flatMap(({ calls }) => calls).filter((call) => call.operation === operation).length;
  const attempts = runs.reduce((sum, run) => sum + run.uploadAttempts[side], 0);
  return uploads > attempts ? [`uploaded the ${side} ${uploads} times in ${attempts} attempts`] : [];
}
