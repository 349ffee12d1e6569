export { onboardingAnswer } from './answer.js';
export { onboardingBatch } from './batch/batch.js';
export { captureOnboarding } from './capture/capture.js';
export { captureBatch } from './capture-batch/capture-batch.js';
export { onboardingBatchClaims } from './claims/claims.js';
export { startOnboardingBatchClaims } from './claims/start.js';
export { onboardingSession } from './onboarding.js';
