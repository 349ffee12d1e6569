export { InvalidInputError } from '../contract/index.js';
export { type ConnectedOnboardingClient, type ConnectOptions, connectOnboardingClient } from './connect.js';
export { AnswerPendingError, SessionCompletedError, SessionFailedError, SessionNotFoundError } from './errors.js';
export {
  OnboardingClient,
  type OnboardingClientOptions,
  type StartedOnboarding,
  type StartOptions,
  type WaitOptions,
} from './onboarding-client.js';
export type { PendingCall, SessionStatus } from './status.js';
