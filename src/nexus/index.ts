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

/** A session that was started before. */
export interface SessionInput {
  interviewId: string;
}

/** What `start` answers. */
export interface StartedSession extends SessionInput {
  workflowId: string;
  runId: string;
  /** The session was running, or completed, before: nothing was started. */
  attached: boolean;
  /** The onboarding that was attached to waited for a token, and got the given one. */
  tokenHandedIn: boolean;
  /** The plan that the onboarding follows, its defaults filled in. */
  plan: Required<Plan>;
}

/** What `state` answers: the client's `SessionStatus`, with its times in ISO 8601. */
export type SessionState = InJson<SessionStatus>;

type InJson<T> = T extends Date ? string : T extends object ? { [K in keyof T]: InJson<T[K]> } : T;

/**
 * The contract as a Nexus service, for workflows of another namespace. Light: a workflow may import it. What each operation
 * does, and how it fails, stands in `docs/nexus.md`.
 */
export const onboardingService = service(NEXUS_SERVICE, {
  /** Incode's answer as soon as it is there, however long that takes; starts the onboarding if none runs. */
  finish: operation<OnboardingInput, FinishAnswer | null>(),
  /** The outcome, at the end of the onboarding; starts it if none runs. Cancelling the operation cancels the onboarding. */
  complete: operation<OnboardingInput, OnboardingResult>(),
  /** Starts the onboarding, or attaches to the one that there is. */
  start: operation<OnboardingInput, StartedSession>(),
  /** Where the session stands. */
  state: operation<SessionInput, SessionState>(),
  /** Hands a fresh token to a running onboarding. */
  renewToken: operation<SessionInput & RenewTokenInput, void>(),
  /** Moves the deadline of the stage in which the session is. */
  extendDeadline: operation<SessionInput & ExtendDeadlineInput, ExtendedDeadline>(),
  /** Asks a running onboarding to stop. */
  cancel: operation<SessionInput, void>(),
});
