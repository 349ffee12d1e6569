export { InvalidInputError } from '../contract/index.js';
export { type ConnectedOnboardingClient, type ConnectOptions, connectOnboardingClient } from './connect.js';
export {
  AnswerPendingError,
  SessionCompletedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalConfigurationError,
  WrongStageError,
} from './errors.js';
export {
  OnboardingClient,
  type OnboardingClientOptions,
  type WaitOptions,
} from './onboarding-client.js';
export type { StartedOnboarding, StartOptions } from './starting.js';
export type { PendingCall, SessionStatus } from './status.js';
