import type { ListedBatch } from '../client/batch/list-batches.js';
import type { PendingCall } from '../client/index.js';
import type { ListedPerson, ListedSession } from '../client/list/listed.js';
import type { BatchId, Count } from '../contract/batch.js';
import type { CapturePerson, CaptureReference } from '../contract/capture.js';
import type { CapturePlan } from '../contract/capture-plan.js';
import type { CaptureResult, CaptureState } from '../contract/capture-workflow.js';
import type { GatewayScope } from '../contract/gateway-settings.js';
import type { FinishAnswer, InterviewId, OnboardingResult, OnboardingState, Plan, Stage } from '../contract/index.js';
import type { DurationString, FlowId, Outcome, SessionToken } from '../contract/types.js';

export type { BatchStatus } from '../client/batch/types.js';
export type { Overview, OverviewHour } from '../client/list/overview.js';

// The bodies of requests and answers. docs/gateway.md explains them.

/** Body of `POST /v1/sessions`. */
export interface StartSessionRequest extends FinishSessionRequest {
  interviewId: InterviewId;
  /** Value of the search attribute `IncodeBatchId`, to list sessions that belong together. */
  batchId?: string;
  /**
   * What to do if the session is completed already: answer with it, or with the problem `SessionCompletedError`.
   *
   * @default "return"
   */
  ifCompleted?: 'return' | 'refuse';
}

/** Body of `POST /v1/sessions/{interviewId}/finish`. */
export interface FinishSessionRequest {
  /** If absent, the worker asks its token source. Without a token source, the session waits in `needsToken`. */
  sessionToken?: SessionToken;
  /** Incode's id of the session's flow. */
  flowId?: FlowId;
  plan?: Plan;
  /**
   * What to do if the session's onboarding runs with another plan: answer with the problem `PlanMismatchError`, or attach to it.
   *
   * @default "refuse"
   */
  ifPlanDiffers?: 'refuse' | 'attach';
}

/** Body of `POST /v1/sessions/{interviewId}/token`. */
export interface TokenRequest {
  sessionToken: SessionToken;
}

/** Body of `POST /v1/sessions/{interviewId}/deadline`. */
export interface DeadlineRequest {
  /** Added to the deadline of the current stage. */
  by: DurationString;
}

/** Answer to a start: 201 if it started the onboarding, 200 if it attached to an existing one. */
export interface StartedSession {
  interviewId: InterviewId;
  workflowId: string;
  runId: string;
  /** The onboarding existed before the request. It may have ended. */
  attached: boolean;
  /** The onboarding waited for a token and took that of the request. */
  tokenHandedIn: boolean;
  plan: Plan;
}

/** Answer 200 to finish. */
export interface FinishedSession {
  interviewId: InterviewId;
  /** Incode's answer. `null` if the session expired before it was finished. */
  answer: FinishView | null;
  /** Where the session is now. `null` if no worker answers. */
  stage: Stage | null;
  /** `null` until the stage is `done`. */
  outcome: Outcome | null;
}

/** Answer 202: Temporal has the request, and the session continues without the caller. */
export interface PendingSession {
  interviewId: InterviewId;
  /** `null` if it is not known. */
  stage: Stage | null;
  /** What somebody has to do before the session continues. `null` if nobody has to act, or it is not known. */
  waitingFor: string | null;
  /** Whether a worker has polled the task queue within about the last minute. `null` if it is not known. */
  hasWorker: boolean | null;
}

/** Incode's answer to finish-status. Without the scope `start` it has no `redirectionUrl`, which may contain a person's name. */
export type FinishView = Omit<FinishAnswer, 'redirectionUrl'> & { redirectionUrl?: string | null };

/** The latest run of an onboarding. */
interface RunView {
  /** Id of the workflow, for Temporal's own tools. */
  workflowId: string;
  /** Temporal's id of the run. An onboarding that is started again has another run. */
  runId: string;
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timedOut' | 'unknown';
  /** ISO 8601. @format date-time */
  startedAt: string;
  /** `null` while it runs. @format date-time */
  closedAt: string | null;
  /** Why it ended without a result. */
  failure: { type: string; message: string } | null;
  /** The call to Incode that is in flight or waits for its next attempt. */
  call: CallView | null;
}

/** State of a session's onboarding. */
export interface SessionView extends RunView {
  interviewId: InterviewId;
  /** `null` if no worker answered within five seconds and the session has no result. */
  state: (Omit<OnboardingState, 'finish'> & { finish: FinishView | null }) | null;
  /** `null` while the onboarding runs, and if it ended without a result. */
  result: ResultView | null;
}

export interface CallView extends Omit<PendingCall, 'nextAttemptAt'> {
  /** `null` while an attempt is in flight or the call is paused. @format date-time */
  nextAttemptAt: string | null;
}

export interface SessionList {
  items: ListedSession[];
  /** Pass it as `cursor` for the next page. `null` on the last page. */
  cursor: string | null;
}

/** Answer 202 to `DELETE`: the onboarding stops as soon as a worker has taken the request. */
export interface CancelRequested {
  interviewId: InterviewId;
  cancelRequested: true;
}

/** Body of `POST /v1/people`. */
export interface StartPersonRequest extends CapturePerson {
  plan?: CapturePlan;
  /** Starts a person again whose onboarding has failed. A person who fails after a session was opened gets another session. @default false */
  retryFailed?: boolean;
  /** Value of the search attribute `IncodeBatchId`, to list people who belong together. */
  batchId?: string;
}

/** Answer to a start: 201 if it started the onboarding, 200 if it attached to an existing one. */
export interface StartedPersonView {
  reference: CaptureReference;
  workflowId: string;
  runId: string;
  /** The onboarding existed before the request. It may have ended. */
  attached: boolean;
  plan: CapturePlan;
}

/** Result of a session's onboarding, as far as the token permits. */
export type ResultView = Omit<OnboardingResult, 'finish'> & { finish: FinishView | null };

/** State of a person's onboarding. */
export interface PersonView extends RunView {
  reference: CaptureReference;
  /** `null` if no worker answered within five seconds. */
  state: CaptureState | null;
  /** `null` while the onboarding runs, and if it ended without a result. */
  result: (Omit<CaptureResult, 'onboarding'> & { onboarding: ResultView | null }) | null;
  /** The onboarding of the session in the stage `completing`. `null` in every other stage. */
  session: SessionView | null;
}

export interface PersonList {
  items: ListedPerson[];
  /** Pass it as `cursor` for the next page. `null` on the last page. */
  cursor: string | null;
}

/** Answer 202 to `DELETE`: the onboarding stops as soon as a worker has taken the request. */
export interface PersonCancelRequested {
  reference: CaptureReference;
  cancelRequested: true;
}

/** Answer 202 to a list: Temporal has all of it, and completes it without the gateway. */
export interface StartedBatch {
  batchId: BatchId;
  /** Number of sessions in the list. */
  sessions: Count;
  /** Sessions of them that Temporal had already. */
  attached: Count;
}

export interface BatchList {
  /** Those with a running part first. */
  items: ListedBatch[];
  /** There are more batches than the latest 1,000 parts show. */
  isCut: boolean;
}

/** How many running parts of the batch got the message. */
export interface ShardsSignaled {
  batchId: BatchId;
  shards: Count;
}

/** Answer 202 to stop: the batch begins no more sessions and ends as soon as its calls in flight are done. */
export interface StopRequested {
  batchId: BatchId;
  stopRequested: true;
  /** Parts that are still ending. */
  shards: Count;
}

/** Problem details as in RFC 9457. */
export interface Problem {
  /** `urn:temporal-incode:` and the error's name, such as `SessionNotFoundError`. @format uri */
  type: string;
  title: string;
  status: number;
  /** What happened, to which session, and what to do next. */
  detail: string;
  /** The part of the request that is wrong. */
  field?: string;
  interviewId?: string;
  batchId?: string;
  reference?: string;
  stage?: string | null;
  waitingFor?: string | null;
  hasWorker?: boolean | null;
  /** What differs from the request that the server knows. */
  differs?: string | readonly string[];
  /** The plan that the onboarding follows. */
  plan?: Plan;
  /** What is wrong with single rows of a list: at most 100. */
  rows?: readonly string[];
  /** The `type` of the failure that ended the onboarding. */
  failure?: string;
  [more: string]: unknown;
}

/** Who asks, and what the gateway offers. */
export interface About {
  /** Name of the token. `anybody` if the gateway needs none. */
  name: string;
  scopes: readonly GatewayScope[];
  /** The address of a workflow in Temporal's Web UI, without the workflow id at its end. `null` if it is not known. */
  webUi: string | null;
}
