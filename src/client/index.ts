export { EncryptionKeyError, type KeyRing } from '../codec/index.js';
export {
  type BatchPlan,
  type BatchRow,
  type BatchSession,
  type CaptureInput,
  type CapturePerson,
  type CapturePlan,
  type CaptureResult,
  type CaptureRow,
  type CaptureStage,
  type CaptureState,
  type ExtendedDeadline,
  FAILURES,
  type FailureType,
  type FinishAnswer,
  type ImageReference,
  type ImageSide,
  InvalidInputError,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingState,
  type Outcome,
  type Plan,
  type ScoreAnswer,
  type Stage,
  type StatusChangedInput,
  TemporalIncodeError,
  type TimelineEntry,
  type VerifyFirst,
} from '../contract/index.js';
export { captureBatch } from './batch/capture-batch.js';
export type { CaptureBatch, CaptureBatchOptions, CaptureHost, CaptureItem } from './batch/capture-types.js';
export { completeBatch } from './batch/complete-batch.js';
export { BatchDetachedError, BatchMismatchError, BatchNotFoundError, BatchShardError } from './batch/errors.js';
export { batchProgress } from './batch/status.js';
export { pauseBatch, resumeBatch, type StopOptions, stopBatch } from './batch/steer.js';
export type { Batch, BatchHost, BatchItem, BatchOptions, BatchRunProgress, BatchStatus } from './batch/types.js';
export { type ConnectedOnboardingClient, type ConnectOptions, connectOnboardingClient } from './connect.js';
export {
  AnswerPendingError,
  type PendingFacts,
  PlanMismatchError,
  SessionCompletedError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  type WaitFacts,
  WrongStageError,
} from './errors.js';
export type { FinishedOnboarding, FinishOptions } from './finish-session.js';
export { OnboardingClient } from './onboarding-client.js';
export type { OnboardingClientOptions, UpdateOptions, WaitOptions } from './options.js';
export type { PendingCall } from './pending-call.js';
export {
  PersonDiffersError,
  PersonEndedError,
  PersonFailedError,
  PersonHasSessionError,
  PersonImageUnusableError,
  PersonNotFoundError,
  PersonPendingError,
  type PersonPendingFacts,
  PersonTooManyWaitingError,
  PersonWrongStageError,
} from './people/errors.js';
export type { PeopleClient, PersonResultOptions } from './people/people-client.js';
export type { StartedPerson, StartPersonOptions } from './people/start-person.js';
export type { PersonStatus } from './people/status.js';
export { sessionStarted } from './session-started.js';
export { type StartManyItem, type StartManyOptions, startMany } from './start-many.js';
export type { IfPlanDiffers, StartedOnboarding, StartOptions } from './starting.js';
export type { SessionStatus, WorkflowStatus } from './status.js';
export {
  ClientClosedError,
  NamespaceNotSetUpError,
  TemporalConfigurationError,
  type TemporalProblem,
  TemporalRequestError,
  type TemporalTarget,
  TemporalUnavailableError,
} from './temporal-errors.js';
