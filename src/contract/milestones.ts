/**
 * What an `onboardingStatus` says. It is the latest milestone, from an open set: compare by what it says, never with one
 * value.
 *
 * - `open`: on the way, or new to us;
 * - `processed`: Incode's post-processing is done, the session can be finished;
 * - `expired`: it cannot be finished any more;
 * - `finished`: finish-status took effect;
 * - `reviewed`: a person has decided, which comes only after it.
 */
export type Milestone = 'open' | 'processed' | 'expired' | 'finished' | 'reviewed';

/** In Incode's usual order, from its documentation. */
const OPEN = ['UNKNOWN', 'ID_VALIDATION_FINISHED', 'ID_VALIDATION_FINISHED_SECOND_ID'];
const PROCESSED = ['POST_PROCESSING_FINISHED', 'FACE_VALIDATION_FINISHED', 'GOVERNMENT_VALIDATION_FINISHED'];
const FINISHED = 'ONBOARDING_FINISHED';
const VERDICTS = { MANUAL_REVIEW_APPROVED: 'approved', MANUAL_REVIEW_REJECTED: 'rejected' } as const;

export function milestoneOf(onboardingStatus: string | null): Milestone {
  if (onboardingStatus === null) return 'open';
  if (verdictOf(onboardingStatus) !== undefined) return 'reviewed';
  // Whatever else Incode may say of a manual review: it comes only after finishing.
  if (onboardingStatus === FINISHED || onboardingStatus.startsWith('MANUAL_REVIEW_')) return 'finished';
  if (onboardingStatus === 'EXPIRED') return 'expired';
  return PROCESSED.includes(onboardingStatus) ? 'processed' : 'open';
}

/** Whether this package knows what the status says of finishing. The set is open, so Incode may add others at any time. */
export function isKnownStatus(onboardingStatus: string): boolean {
  return OPEN.includes(onboardingStatus) || milestoneOf(onboardingStatus) !== 'open';
}

/** What a person decided at Incode; `undefined` if nobody has. */
export function verdictOf(onboardingStatus: string | null): 'approved' | 'rejected' | undefined {
  const isVerdict = onboardingStatus !== null && Object.hasOwn(VERDICTS, onboardingStatus);
  return isVerdict ? VERDICTS[onboardingStatus as keyof typeof VERDICTS] : undefined;
}

/** Whether the session can be finished, or is finished already: any later milestone satisfies the wait for an earlier one. */
export function isProcessed(onboardingStatus: string | null): boolean {
  return ['processed', 'finished', 'reviewed'].includes(milestoneOf(onboardingStatus));
}

/** Processed, and not further: the session can be finished. */
export function isProcessedOnly(onboardingStatus: string): boolean {
  return milestoneOf(onboardingStatus) === 'processed';
}

/**
 * Whether a status that Incode tells bears out what a webhook said before. A later milestone does, because Incode tells only the
 * latest one. Verdicts and EXPIRED must be the same.
 */
export function bearsOut(onboardingStatus: string, hint: string): boolean {
  const said = milestoneOf(hint);
  if (said === 'reviewed' || said === 'expired') return onboardingStatus === hint;
  return MILESTONES.indexOf(milestoneOf(onboardingStatus)) >= MILESTONES.indexOf(said);
}

export function isFinished(onboardingStatus: string | null): boolean {
  return ['finished', 'reviewed'].includes(milestoneOf(onboardingStatus));
}

/**
 * The later one of two statuses, whichever was heard first: Incode promises no order of its webhooks. Of two verdicts the
 * one heard last counts.
 */
export function laterStatus(known: string | null, heard: string): string {
  return rank(heard) >= rank(known) ? heard : (known as string);
}

const MILESTONES: readonly Milestone[] = ['open', 'processed', 'expired', 'finished', 'reviewed'];

function rank(onboardingStatus: string | null): number {
  if (onboardingStatus === null) return -1;
  // A status that is new to us ranks lowest: it must not hide one whose meaning is known.
  const within = Math.max(0, [...OPEN, ...PROCESSED].indexOf(onboardingStatus));
  return MILESTONES.indexOf(milestoneOf(onboardingStatus)) * 100 + within;
}

/**
 * `onboardingStatus` as Incode spells it nearly everywhere: upper case, without spaces around it. Its documentation has
 * `ONBOADING_FINISHED` in one place, so answers and webhooks may have it too. Everything else is kept, the set is open.
 */
export function correctOnboardingStatus(given: string): string {
  const status = given.trim().toUpperCase();
  return status === 'ONBOADING_FINISHED' ? 'ONBOARDING_FINISHED' : status;
}
