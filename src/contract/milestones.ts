/**
 * The meaning of an `onboardingStatus`. Compare milestones, not statuses: Incode's set of statuses is open, and a status names only
 * the latest milestone.
 *
 * - `open`: in progress, or a status that this package does not know;
 * - `processed`: Incode's post-processing is done, so the session can be finished;
 * - `expired`: the session can no longer be finished;
 * - `finished`: finish-status took effect;
 * - `reviewed`: a person decided, after the session was finished.
 */
export type Milestone = 'open' | 'processed' | 'expired' | 'finished' | 'reviewed';

// Both lists have the usual order of Incode's documentation.
const OPEN = ['UNKNOWN', 'ID_VALIDATION_FINISHED', 'ID_VALIDATION_FINISHED_SECOND_ID'];
const PROCESSED = ['POST_PROCESSING_FINISHED', 'FACE_VALIDATION_FINISHED', 'GOVERNMENT_VALIDATION_FINISHED'];
const FINISHED = 'ONBOARDING_FINISHED';
const VERDICTS = { MANUAL_REVIEW_APPROVED: 'approved', MANUAL_REVIEW_REJECTED: 'rejected' } as const;

/** The milestone that a status stands for; `open` for `null`. */
export function milestoneOf(onboardingStatus: string | null): Milestone {
  if (onboardingStatus === null) return 'open';
  if (verdictOf(onboardingStatus) !== undefined) return 'reviewed';
  // Manual review comes only after finishing, so any other MANUAL_REVIEW_ status implies a finished session.
  if (onboardingStatus === FINISHED || onboardingStatus.startsWith('MANUAL_REVIEW_')) return 'finished';
  if (onboardingStatus === 'EXPIRED') return 'expired';
  return PROCESSED.includes(onboardingStatus) ? 'processed' : 'open';
}

/** Whether this package knows what the status means. Incode may add statuses at any time. */
export function isKnownStatus(onboardingStatus: string): boolean {
  return OPEN.includes(onboardingStatus) || milestoneOf(onboardingStatus) !== 'open';
}

/** What a person decided at Incode; `undefined` if nobody has decided. */
export function verdictOf(onboardingStatus: string | null): 'approved' | 'rejected' | undefined {
  const isVerdict = onboardingStatus !== null && Object.hasOwn(VERDICTS, onboardingStatus);
  return isVerdict ? VERDICTS[onboardingStatus as keyof typeof VERDICTS] : undefined;
}

/** Whether the session can be finished or is already finished. */
export function isProcessed(onboardingStatus: string | null): boolean {
  return ['processed', 'finished', 'reviewed'].includes(milestoneOf(onboardingStatus));
}

/** Whether the session can be finished and is not yet finished. */
export function isProcessedOnly(onboardingStatus: string): boolean {
  return milestoneOf(onboardingStatus) === 'processed';
}

/** Whether the session can no longer be finished. */
export function isExpired(onboardingStatus: string | null): boolean {
  return milestoneOf(onboardingStatus) === 'expired';
}

/**
 * Whether Incode's status confirms what a webhook said. A later milestone confirms an earlier one, because Incode reports only the
 * latest. A verdict and EXPIRED are confirmed only by the same status.
 */
export function bearsOut(onboardingStatus: string, hint: string): boolean {
  const hinted = milestoneOf(hint);
  if (hinted === 'reviewed' || hinted === 'expired') return onboardingStatus === hint;
  return MILESTONES.indexOf(milestoneOf(onboardingStatus)) >= MILESTONES.indexOf(hinted);
}

/** Whether finish-status took effect. */
export function isFinished(onboardingStatus: string | null): boolean {
  return ['finished', 'reviewed'].includes(milestoneOf(onboardingStatus));
}

/**
 * @returns the later milestone of two statuses, because Incode promises no order of its webhooks. Of two verdicts, the one heard last
 * counts.
 */
export function laterStatus(known: string | null, heard: string): string {
  return rank(heard) >= rank(known) ? heard : (known as string);
}

const MILESTONES: readonly Milestone[] = ['open', 'processed', 'expired', 'finished', 'reviewed'];

function rank(onboardingStatus: string | null): number {
  if (onboardingStatus === null) return -1;
  // An unknown status ranks lowest, so that it does not replace a known one.
  const within = Math.max(0, [...OPEN, ...PROCESSED].indexOf(onboardingStatus));
  return MILESTONES.indexOf(milestoneOf(onboardingStatus)) * 100 + within;
}

/**
 * Normalizes a status: upper case, no spaces around it. It corrects `ONBOADING_FINISHED`, a misspelling in Incode's documentation that
 * answers and webhooks may also have. Unknown statuses are kept.
 */
export function correctOnboardingStatus(spelling: string): string {
  const status = spelling.trim().toUpperCase();
  return status === 'ONBOADING_FINISHED' ? 'ONBOARDING_FINISHED' : status;
}
