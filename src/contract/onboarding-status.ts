/**
 * `onboardingStatus` as Incode spells it nearly everywhere: its documentation has `ONBOADING_FINISHED` in one place, so
 * answers and webhooks may have it too. Everything else is kept, the set is open.
 */
export function correctOnboardingStatus(status: string): string {
  return status === 'ONBOADING_FINISHED' ? 'ONBOARDING_FINISHED' : status;
}
