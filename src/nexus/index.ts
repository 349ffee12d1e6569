import { operation, service } from 'nexus-rpc';
import type { SessionStatus } from '../client/status.js';
import {
  type ExtendDeadlineInput,
  type ExtendedDeadline,
  type FinishAnswer,
  NEXUS_SERVICE,
  type OnboardingInput,
  type OnboardingResult,
  type Plan,
  type RenewTokenInput,
} from '../contract/index.js';

export { NEXUS_SERVICE, NEXUS_TASK_QUEUE } from '../contract/index.js';
export { type OperationFailure, operationFailure } from './operation-failure.js';

/** Identifies a session that was started before. */
export interface SessionReference {
  interviewId: string;
}

/** The answer of `start`. */
export interface StartedSession extends SessionReference {
  workflowId: string;
  runId: string;
  /** The session was already running or completed, so nothing was started. */
  attached: boolean;
  /** The running onboarding waited for a token and received yours. */
  tokenHandedIn: boolean;
  /** The plan that the onboarding follows, with defaults filled in. */
  plan: Required<Plan>;
}

/** The answer of `state`: the client's `SessionStatus`, with times in ISO 8601. */
export type SessionState = InJson<SessionStatus>;

type InJson<T> = T extends Date ? string : T extends object ? { [K in keyof T]: InJson<T[K]> } : T;

/**
 * The Nexus service for workflows in another namespace. Workflows may import it. `docs/nexus.md` explains each operation and its
 * failures.
 *
 * @example
 * const onboarding = createNexusServiceClient({ service: onboardingService, endpoint: 'incode-onboarding' });
 * const { outcome } = await onboarding.executeOperation('complete', { interviewId, sessionToken });
 */
export const onboardingService = service(NEXUS_SERVICE, {
  /** Starts the onboarding if none runs, and returns Incode's answer when it is available, however long that takes. */
  finish: operation<OnboardingInput, FinishAnswer | null>(),
  /** Starts the onboarding if none runs, and returns its outcome. Cancelling the operation cancels the onboarding. */
  complete: operation<OnboardingInput, OnboardingResult>(),
  /** Starts the onboarding, or attaches to a running or completed one. */
  start: operation<OnboardingInput, StartedSession>(),
  /** Returns the session's current state. */
  state: operation<SessionReference, SessionState>(),
  /** Gives a fresh token to a running onboarding. */
  renewToken: operation<SessionReference & RenewTokenInput, void>(),
  /** Moves the deadline of the session's current stage. */
  extendDeadline: operation<SessionReference & ExtendDeadlineInput, ExtendedDeadline>(),
  /** Asks a running onboarding to stop. */
  cancel: operation<SessionReference, void>(),
});
