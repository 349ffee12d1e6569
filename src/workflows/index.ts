export { onboardingAnswer } from './answer.js';
export { onboardingBatch } from './batch/batch.js';
export { onboardingSession } from './onboarding.js';
