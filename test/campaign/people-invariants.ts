import { type CaptureRow, FAILURES, type ImageSide } from '../../src/contract/index.js';
import { answeredWith, wrongEnd } from './endings.js';
import type { OpenedSession, PersonEvidence, PersonRun } from './people-record.js';
import type { Evidence, Violation } from './record.js';
import type { SimulatedOutcome } from './types.js';

/** Each person has one result, which is that of their own session and images. */
export function wrongPeople({ people }: Pick<Evidence, 'people'>): Violation[] {
  const perPerson = people.flatMap((person) => {
    const wrong = [
      ...lost(person),
      ...person.runs.flatMap((run) => wrongRun(person, run)),
      ...person.rows.flatMap(({ batchId, row }) => wrongRow(person, batchId, row)),
      ...usedTwice(person),
      ...person.opened.flatMap((session) => foreignImages(person, session)),
      ...person.opened.flatMap((session) => wrongCourse(person, session)),
    ];
    return wrong.map((what) => ({ invariant: 'person' as const, who: person.record.person.reference, what }));
  });
  return [...perPerson, ...sharedSessions(people)];
}

function lost({ record, runs }: PersonEvidence): string[] {
  return record.acknowledged && runs.length === 0 ? ['is lost: the server had the workflow'] : [];
}

/** No session is reported for two people. */
function sharedSessions(people: PersonEvidence[]): Violation[] {
  const owners = new Map<string, string>();
  return people.flatMap(({ record, runs, rows }) => {
    const { reference } = record.person;
    const reported = [...runs.map(({ report }) => report?.interviewId), ...rows.map(({ row }) => row?.interviewId)];
    return [...new Set(reported)].flatMap((interviewId) => {
      if (!interviewId) return [];
      const owner = owners.get(interviewId) ?? reference;
      owners.set(interviewId, owner);
      return owner === reference
        ? []
        : [{ invariant: 'person' as const, who: reference, what: `has the session ${interviewId} of ${owner}` }];
    });
  });
}

function wrongRun(person: PersonEvidence, run: PersonRun): string[] {
  const { record, opened } = person;
  const { report } = run;
  const own = opened.find(({ view }) => view.interviewId === report?.interviewId);
  const foreign =
    report?.interviewId && !run.asked.includes(own?.view.externalCustomerId ?? '')
      ? [`reports the session ${report.interviewId}, which the workflow has not opened`]
      : [];
  switch (run.status) {
    case 'completed':
      return [
        ...foreign,
        ...(report?.interviewId ? wrongOutcome(person, report.outcome) : ['has a result without a session']),
      ];
    case 'failed':
      return [
        ...foreign,
        ...(report ? [] : ['has failed without a word about sessions']),
        ...wrongFailure(person, run.failure?.type),
      ];
    default:
      return wrongEnd(run.status, record);
  }
}

/** Outcomes that cannot come from the person's own session, which the simulated Incode has decided. */
const IMPOSSIBLE: Record<SimulatedOutcome, string[]> = {
  approved: ['rejected', 'needsReview', 'expired'],
  slow: ['rejected', 'needsReview', 'expired'],
  rejected: ['approved', 'needsReview', 'expired'],
  review: ['rejected', 'expired'],
  reviewApproved: ['rejected', 'expired'],
};

function wrongOutcome({ record }: PersonEvidence, outcome: string | null | undefined): string[] {
  const { simulate } = record.person;
  return IMPOSSIBLE[simulate].includes(outcome ?? '') ? [`is ${outcome}, but the session was ${simulate}`] : [];
}

function wrongFailure({ record, starts, opened }: PersonEvidence, type: string | undefined): string[] {
  const { person, disturbed, sessionEnded, cancelled } = record;
  const calls = [...starts, ...opened.flatMap((session) => session.calls)];
  switch (type) {
    case FAILURES.imageUnusable:
      return disturbed.length > 0 ? [] : ['failed for an image that nobody has changed'];
    case FAILURES.imageRefused: {
      const mayFail = person.plan.onRefusedImage === 'fail' && person.answer !== null;
      return mayFail ? [] : ['failed for an image that Incode has not refused'];
    }
    case FAILURES.tokenRefused:
      return calls.some(({ httpStatus }) => httpStatus === 401)
        ? []
        : ['failed for a token that Incode did not refuse'];
    case 'Cancelled':
    case 'Terminated':
      return sessionEnded || cancelled ? [] : [`failed as ${type}, although nobody has ended the session`];
    default:
      return type !== undefined && answeredWith(type, calls)
        ? []
        : [`failed with ${type}, which Incode never answered`];
  }
}

/** A row must say what one of the person's runs says. */
function wrongRow(person: PersonEvidence, batchId: string, row: CaptureRow | null): string[] {
  if (row === null) return [`has no row in ${batchId}`];
  if (row.failure?.type === FAILURES.personDiffers) {
    // Two lists then have two digests for the image.
    const isChanged = person.record.disturbed.some(({ kind }) => kind !== 'loseImage');
    return isChanged ? [] : [`differs in ${batchId}, although nobody has changed an image`];
  }
  return person.runs.some((run) => agrees(row, run)) ? [] : [`has a row in ${batchId} that no run agrees with`];
}

/** A row names at most five orphans. */
const MAX_ORPHANS = 5;

function agrees(row: CaptureRow, { status, failure, report }: PersonRun): boolean {
  const { suspectedOrphans = [] } = row;
  const named = (report?.suspectedOrphans ?? []).slice(0, MAX_ORPHANS);
  const hasSameSessions =
    (row.interviewId ?? null) === (report?.interviewId ?? null) &&
    JSON.stringify(suspectedOrphans.map(keyOf)) === JSON.stringify(named.map(keyOf));
  switch (status) {
    case 'completed': {
      // Another caller may have started the session's workflow. The row then has its outcome.
      const isSame = report?.outcome === null || report?.outcome === row.outcome;
      return hasSameSessions && isSame;
    }
    case 'failed':
      return hasSameSessions && row.failure?.type === failure?.type;
    case 'cancelled':
    case 'terminated':
      return row.failure?.type.toLowerCase() === status;
    default:
      return false;
  }
}

function keyOf({ externalCustomerId }: { externalCustomerId: string }): string {
  return externalCustomerId;
}

/** Each run uses one session: that which it reports. Nothing is sent to any other. */
function usedTwice({ record, runs, opened }: PersonEvidence): string[] {
  const used = opened.filter(({ view, captures }) => view.effects.finished > 0 || captures.uploads.length > 0);
  const begun = runs.filter(({ status }) => status !== 'continued').length;
  if (used.length > begun) return [`has used ${used.length} sessions in ${begun} runs`];
  // After a reset, two runs have asked for the same sessions.
  if (record.repeated) return [];
  return runs.flatMap(({ asked, report }) => {
    const own = used.filter(({ view }) => asked.includes(String(view.externalCustomerId)));
    const others = own.filter(({ view }) => report && view.interviewId !== report.interviewId);
    if (own.length > 1) return [`has used ${own.length} sessions in one run`];
    return others.map(({ view }) => `has used the session ${view.interviewId}, which is not that of the result`);
  });
}

const SIDES = { front: 'front', back: 'back', face: 'selfie' } as const satisfies Record<string, ImageSide>;

/** A session has only whole images of its own person, on their own sides, and those that the references name. */
function foreignImages({ record, images }: PersonEvidence, { view, captures }: OpenedSession): string[] {
  const { reference, hasDigests } = record.person;
  const about = `session ${view.interviewId}`;
  const wrong = captures.uploads.flatMap(({ sha256, part }) => {
    const side = SIDES[part];
    const image = images.get(sha256);
    if (!image || image.kind === 'truncated') return [`${about} has a ${part} that is no whole image`];
    if (image.reference !== reference || image.side !== side)
      return [`${about} has the ${image.side} of ${image.reference} as its ${part}`];
    if (image.kind === 'changed' && hasDigests)
      return [`${about} has a ${part} with another digest than its reference`];
    return [];
  });
  const digests = Object.entries(SIDES).flatMap(([part, side]) => {
    const sent = new Set(captures.uploads.filter((upload) => upload.part === part).map(({ sha256 }) => sha256));
    const allowed = 1 + record.replacements.filter((replacement) => replacement.side === side).length;
    return sent.size > allowed ? [`${about} has ${sent.size} different images of the ${side}`] : [];
  });
  return [...wrong, ...digests];
}

/** A finished session has the images of its person, and Incode had processed the document before it was finished. */
function wrongCourse({ record, runs }: PersonEvidence, { view, captures, calls }: OpenedSession): string[] {
  if (view.effects.finished === 0) return [];
  const about = `session ${view.interviewId} was finished`;
  const { sides, answer } = record.person;
  const needed = Object.entries(SIDES).filter(
    ([part, side]) => sides.includes(side) && !(part === 'back' && answer === 'passport'),
  );
  const missing = needed.filter(([part]) => !captures.uploads.some((upload) => upload.part === part));
  const run = runs.find(({ report }) => report?.interviewId === view.interviewId);
  const finishedAt =
    calls.find(({ operation, effectAt }) => operation === 'finishStatus' && effectAt !== null)?.at ?? 0;
  const processedAt = calls.find(({ operation, effectAt }) => operation === 'processId' && effectAt !== null)?.effectAt;
  const isEarly = run?.report?.idProcessed === true && (!processedAt || finishedAt < processedAt);
  return [
    ...missing.map(([, side]) => `${about} without the ${side}`),
    ...(isEarly ? [`${about} before its document was processed`] : []),
  ];
}
