export { onboardingAnswer } from './answer.js';
export { onboardingBatch } from './batch.js';
export { onboardingSession } from './onboarding.js';
