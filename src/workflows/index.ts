export { onboardingBatch } from './batch.js';
export { onboardingSession } from './onboarding.js';
