export { InvalidInputError } from '../contract/index.js';
export { completeBatch } from './batch/complete-batch.js';
export { BatchDetachedError, BatchMismatchError, BatchNotFoundError, BatchShardError } from './batch/errors.js';
export { batchProgress } from './batch/status.js';
export { pauseBatch, resumeBatch, type StopOptions, stopBatch } from './batch/steer.js';
export type { Batch, BatchHost, BatchItem, BatchOptions, BatchRunProgress, BatchStatus } from './batch/types.js';
export { type ConnectedOnboardingClient, type ConnectOptions, connectOnboardingClient } from './connect.js';
export {
  AnswerPendingError,
  SessionCompletedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalConfigurationError,
  TemporalUnavailableError,
  TooManyWaitingError,
  WrongStageError,
} from './errors.js';
export { OnboardingClient } from './onboarding-client.js';
export type { OnboardingClientOptions, UpdateOptions, WaitOptions } from './options.js';
export { type StartManyItem, type StartManyOptions, startMany } from './start-many.js';
export type { StartedOnboarding, StartOptions } from './starting.js';
export type { PendingCall, SessionStatus } from './status.js';
