export { onboardingAnswer } from './answer.js';
export { onboardingBatch } from './batch/batch.js';
export { captureOnboarding } from './capture/capture.js';
export { onboardingSession } from './onboarding.js';
