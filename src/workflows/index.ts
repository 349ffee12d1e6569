export { onboardingAnswer } from './answer.js';
export { onboardingBatch } from './batch/batch.js';
export { captureOnboarding } from './capture/capture.js';
export { onboardingBatchClaims } from './claims/claims.js';
export { startOnboardingBatchClaims } from './claims/start.js';
export { onboardingSession } from './onboarding.js';
