import { asciiText, fitted } from './batch-size.js';
import { IMAGE_SIDES } from './capture.js';
import type { CaptureRow } from './capture-batch.js';
import type { CaptureResult, ImageResult, ImageResults } from './capture-workflow.js';
import { FAILURES } from './names.js';
import { omitUndefined } from './omit-undefined.js';
import type { OnboardingResult } from './types.js';

/**
 * Maximum size of a row as JSON. The largest payload of a shard is the input of its next run: at most 1 MB of people, and 200 rows. Temporal
 * refuses payloads above 2 MB.
 */
const MAX_ROW_BYTES = 4_000;

/** Longer than every text that this package knows. */
const MAX_IMAGE_TEXT = 150;
const MAX_REASON = 300;

/** Each costs a lost answer and minutes of waiting, so more of them mean an outage. The person's own workflow names all. */
const MAX_ORPHANS = 5;

type PersonFacts = Pick<
  CaptureResult,
  'interviewId' | 'images' | 'digests' | 'suspectedOrphans' | 'purged' | 'notPurged'
> &
  // Failures of earlier versions do not have them.
  Partial<Pick<CaptureResult, 'face' | 'government' | 'watchlist'>>;

/** The row of a person whose workflow and session have completed. */
export function rowOfPerson(facts: PersonFacts, { outcome, reason, score }: OnboardingResult): CaptureRow {
  const decided = { outcome, reason: asciiText(reason, MAX_REASON), ...(score === null ? {} : { score }) };
  const { digests } = facts;
  return fitted({ ...decided, ...rowFacts(facts), ...omitUndefined({ digests }) }, MAX_ROW_BYTES);
}

/** A failure of Temporal's SDK, which this part does not import. */
interface EndOfWorkflow {
  name: string;
  message: string;
  /** Of an `ApplicationFailure`. */
  type?: string | null | undefined;
  details?: unknown[] | null | undefined;
}

/** The row of a person whose workflow has failed, or was cancelled or terminated. */
export function rowOfFailedPerson(reference: string, end: EndOfWorkflow | undefined): CaptureRow {
  const [details] = end?.details ?? [];
  return fitted(
    { ...rowFacts((details ?? {}) as Partial<PersonFacts>), failure: failureOf(reference, end) },
    MAX_ROW_BYTES,
  );
}

/**
 * Whether a person has failed before a session can have been opened, so that another workflow under the same reference opens no second
 * session.
 */
export function hasFailedWithoutSession(end: EndOfWorkflow | undefined): boolean {
  const [details] = end?.details ?? [];
  const { interviewId, suspectedOrphans } = (details ?? {}) as { interviewId?: unknown; suspectedOrphans?: unknown };
  // An invalid input fails before the workflow knows anything of the person.
  if (end?.type === FAILURES.invalidInput && interviewId === undefined) return true;
  return interviewId === null && Array.isArray(suspectedOrphans) && suspectedOrphans.length === 0;
}

/** Why a failed person is not started again. */
export function whyNotAgain(interviewId: string, status: 'running' | 'completed'): string {
  return status === 'running'
    ? `session ${interviewId} of the earlier run is still being completed, so the person is not started again. Wait for the session's result, or cancel the session`
    : `session ${interviewId} of the earlier run has been completed, so the person is not started again. Read the session's result`;
}

const ENDS: Record<string, [type: string, end: string]> = {
  CancelledFailure: ['Cancelled', 'was cancelled'],
  TerminatedFailure: ['Terminated', 'was terminated'],
  TimeoutFailure: ['TimedOut', 'timed out'],
};

function failureOf(reference: string, end: EndOfWorkflow | undefined): NonNullable<CaptureRow['failure']> {
  const [type, what] = ENDS[end?.name ?? ''] ?? [];
  if (type !== undefined) return { type, message: `Person ${reference}: the workflow ${what}` };
  return { type: end?.type ?? 'Failed', message: end?.message ?? `Person ${reference}: the workflow failed` };
}

/** What is known of a person, except how the onboarding has ended. */
export function rowFacts(
  facts: Partial<Omit<PersonFacts, 'interviewId'> & { interviewId: string | null }>,
): CaptureRow {
  const { interviewId, images, face, government, watchlist, suspectedOrphans = [], purged, notPurged } = facts;
  const orphans = suspectedOrphans.slice(0, MAX_ORPHANS);
  return omitUndefined({
    // A failure before the session was opened has `null`.
    interviewId: interviewId ?? undefined,
    images: images && imageTexts(images),
    face: face ?? undefined,
    government: government ?? undefined,
    watchlist: watchlist ?? undefined,
    suspectedOrphans: orphans.length > 0 ? orphans : undefined,
    moreSuspectedOrphans:
      suspectedOrphans.length > orphans.length ? suspectedOrphans.length - orphans.length : undefined,
    purged: purged ?? undefined,
    notPurged: notPurged && asciiText(notPurged, MAX_REASON),
  });
}

function imageTexts(images: ImageResults): CaptureRow['images'] {
  const texts = IMAGE_SIDES.flatMap((side) => (images[side] ? [[side, imageText(images[side])]] : []));
  return texts.length > 0 ? Object.fromEntries(texts) : undefined;
}

function imageText({ assessment, failReason, code, failedChecks }: ImageResult): string {
  const parts = [assessment, failReason, code, ...failedChecks].filter((part) => part !== null);
  return asciiText(parts.join(' '), MAX_IMAGE_TEXT);
}
