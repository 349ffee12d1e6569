export { onboardingSession } from './onboarding.js';
