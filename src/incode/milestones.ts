/**
 * `onboardingStatus` is the latest milestone, from an open set: never compare it with one value.
 *
 * - `finished`: finish-status took effect. A manual review comes only after it.
 * - `expired`: it will not take effect any more.
 * - `open`: everything else, also what is new to us.
 */
export type Milestone = 'finished' | 'expired' | 'open';

export function milestoneOf(onboardingStatus: string | null): Milestone {
  if (onboardingStatus === 'ONBOARDING_FINISHED') return 'finished';
  if (onboardingStatus?.startsWith('MANUAL_REVIEW_')) return 'finished';
  return onboardingStatus === 'EXPIRED' ? 'expired' : 'open';
}
