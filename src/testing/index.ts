export {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from './server/index.js';
export * from './simulator/index.js';
export { startTestOnboarding, type TestOnboarding, type TestOnboardingOptions } from './test-onboarding.js';
export { passTime } from './time-skipping.js';
