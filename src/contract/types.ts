import type { VerifyFirst } from './verify-first.js';

// Tags such as @pattern, @maxLength, @minItems and @format become rules of schema/contract.json (`npm run schema`). A test compares
// them with the guards, which decide.

/**
 * Incode's id of a session: printable ASCII without spaces. It is part of the workflow id.
 *
 * @maxLength 200
 * @pattern ^[!-~]+$
 */
export type InterviewId = string;

/**
 * The token that Incode issues for a session, a JWT valid for 90 days: printable ASCII without spaces.
 *
 * @maxLength 16384
 * @pattern ^[!-~]+$
 */
export type SessionToken = string;

/**
 * The id of a flow at Incode. The worker sends it with finish-status.
 *
 * @maxLength 200
 * @pattern ^[!-~]+$
 */
export type FlowId = string;

/**
 * A duration in the format of Temporal's TypeScript SDK, such as `"15 minutes"`, `"36h"`, `"1.5 days"` or `"2 weeks"`: a number
 * above 0 and a unit from milliseconds to weeks, at most ten years.
 *
 * @pattern ^\s*(\d*[1-9]\d*(\.\d+)?|\d+\.\d*[1-9]\d*)\s*([Mm]([Ss]([Ee][Cc][Ss]?)?|[Ii][Ll][Ll][Ii][Ss][Ee][Cc][Oo][Nn][Dd][Ss]?|([Ii][Nn]([Uu][Tt][Ee])?[Ss]?)?)|[Ss]([Ee][Cc]([Oo][Nn][Dd])?[Ss]?)?|[Hh]([Rr][Ss]?|[Oo][Uu][Rr][Ss]?)?|[Dd]([Aa][Yy][Ss]?)?|[Ww]([Ee][Ee][Kk][Ss]?)?)\s*$
 */
export type DurationString = string;

/** Input of `onboardingSession`: plain JSON that any SDK can send. */
export interface OnboardingInput {
  /** Incode's id of the session. */
  interviewId: InterviewId;
  /** If absent, the worker asks its token source. Without a token source, the session waits in `needsToken` for `renewToken`. */
  sessionToken?: SessionToken;
  /** Incode's id of the session's flow, sent along with finish-status. */
  flowId?: FlowId;
  /** What to do with the session. Each missing part has its default. */
  plan?: Plan;
  /**
   * What happens before the first request to finish the session. Use `settle` to start a session again after its workflow was
   * terminated. Booleans are from earlier versions: `true` means `settle`, and `false` means `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
}

/** What to do with the session. */
export interface Plan {
  /**
   * When to finish the session:
   * - `now`: at once;
   * - `processed`: when Incode's post-processing is done, reported by its webhook or a slow poll;
   * - `asked`: when the update `finish` arrives. The workflow does not poll meanwhile.
   *
   * The update `finish` ends each of these waits. So does a status that says that the session is already finished.
   *
   * @default "now"
   */
  finishWhen?: 'now' | 'processed' | 'asked';
  /**
   * How long to wait for that, from the start of the workflow. After that, the outcome is `expired`. The update `extendDeadline`
   * moves this deadline.
   *
   * @default "7 days": a person who has not shown a document after a week rarely returns.
   */
  captureDeadline?: DurationString;
  /**
   * Whether to close the session at Incode after finishing. Incode then refuses uploads and freezes the score.
   *
   * @default false
   */
  close?: boolean;
  /**
   * Whether to read the score. The score then decides the outcome. Otherwise the rule engine's `action` decides it.
   *
   * @default true
   */
  score?: boolean;
  /**
   * How long to poll for a score that is not ready. After that, the outcome is `undecided`. If Incode is unavailable at the deadline,
   * the workflow waits and reads the score once more.
   *
   * @default "15 minutes": post-processing takes seconds, so a score that is missing for longer will not arrive by itself.
   */
  scoreDeadline?: DurationString;
  /**
   * What to do with a session that needs a person's review: `report` it as `needsReview`, or `wait` for the verdict, which
   * Incode's webhook or a slow poll reports.
   *
   * @default "report"
   */
  review?: 'report' | 'wait';
  /**
   * How long to wait for the verdict. After that, the outcome is the one without a verdict. The update `extendDeadline` moves this
   * deadline.
   *
   * @default "30 days"
   */
  reviewDeadline?: DurationString;
}

/** All stages, in their usual order. */
export const STAGES = ['waiting', 'finishing', 'needsToken', 'closing', 'scoring', 'inReview', 'done'] as const;

/**
 * Where a session is now:
 * - `waiting`: not yet to be finished, because the plan's `finishWhen` is `processed` or `asked`;
 * - `finishing`: the worker finishes it at Incode;
 * - `needsToken`: Incode refused its token, so it waits for another one;
 * - `closing`, `scoring`: the worker closes it, or reads its score;
 * - `inReview`: it waits for a person's verdict at Incode;
 * - `done`: it has an outcome.
 */
export type Stage = (typeof STAGES)[number];

/** All outcomes. */
export const OUTCOMES = ['approved', 'rejected', 'needsReview', 'undecided', 'expired'] as const;

/**
 * How the onboarding ended. Business results are values, never exceptions.
 * - `approved`, `rejected`: a person's verdict, the score or the rule engine's action decided;
 * - `needsReview`: a person has to decide at Incode;
 * - `undecided`: Incode made no decision, its score did not arrive in time, or finishing is unconfirmed;
 * - `expired`: the session could no longer be finished, or its capture deadline passed.
 */
export type Outcome = (typeof OUTCOMES)[number];

/** Incode's answer to finish-status. */
export interface FinishAnswer {
  /**
   * Decision of Incode's rule engine: `approved`, `rejected`, `none` (no automatic decision), or a value that this package does not
   * know. `null` if the answer was lost and the session's status confirmed the finish.
   */
  action: string | null;
  /** Where Incode wants the user sent: an http or https URL. `null` if Incode named no URL or an unsafe one. */
  redirectionUrl: string | null;
  /**
   * Why Incode's `redirectionUrl` was dropped: its scheme is not http or https, it is not a URL, or it is too long. The limit is
   * 2,048 bytes, and in a batch the room that its shard has. Absent if nothing was dropped.
   */
  redirectionUnsafe?: 'scheme' | 'malformed' | 'tooLong';
  /**
   * How this package knows that the session is finished:
   * - `response`: Incode's answer arrived;
   * - `status`: the session's status says so;
   * - `webhook`: only a webhook said so, because there was no token to ask Incode with;
   * - `unconfirmed`: a finish request may have taken effect, and the session's status did not confirm it in time. The outcome is
   *   `undecided`: look at the session on Incode's dashboard.
   */
  confirmedBy: 'response' | 'status' | 'webhook' | 'unconfirmed';
}

/** Incode's overall score. */
export interface ScoreAnswer {
  /** Incode's overall status: OK, WARN, FAIL, MANUAL…, or a value that this package does not know. */
  status: string;
  /** Incode's overall value, a string such as `"94.6"`, or `null`. Decide by the status, not by the value. */
  value: string | null;
}

/** Result of `onboardingSession`. */
export interface OnboardingResult {
  /** Incode's id of the session. */
  interviewId: InterviewId;
  /** How the onboarding ended. Decide by this field. */
  outcome: Outcome;
  /** `null` if the session expired or its capture deadline passed before it could be finished. */
  finish: FinishAnswer | null;
  /** `null` if the plan has no score, or the score was not ready by `scoreDeadline`. */
  score: ScoreAnswer | null;
  /** Whether the session was closed. `false` if Incode refused. `null` if the plan did not ask for it, or finishing is unconfirmed. */
  closed: boolean | null;
  /** The last known onboarding status, or `null`. */
  onboardingStatus: string | null;
  /**
   * Source of `onboardingStatus`, on which a person's verdict and `expired` depend: `incode` answered it, or only a `webhook` said it,
   * because there was no token to ask Incode with. Anyone who knows the receiver's secret can send a webhook. Absent without a status.
   */
  confirmedBy?: 'incode' | 'webhook';
  /** One sentence for people that says what decided the outcome. */
  reason: string;
}

/** The workflow `onboardingSession`, for typed handles. */
export type OnboardingWorkflow = (input: OnboardingInput) => Promise<OnboardingResult>;

/** Answer of the `state` query. */
export interface OnboardingState {
  /** Incode's id of the session. */
  interviewId: InterviewId;
  /** Where the session is now. */
  stage: Stage;
  /** What somebody has to do before the session continues. `null` if nobody has to act. */
  waitingFor: string | null;
  /**
   * When the current wait ends by itself, in ISO 8601. `null` if it does not end by itself.
   *
   * @format date-time
   */
  deadline: string | null;
  /** Incode's answer. `null` until it arrives, or if the session expired. */
  finish: FinishAnswer | null;
  /** `null` until the score is ready, or if it was not ready in time. */
  score: ScoreAnswer | null;
  /** The latest known onboarding status. `null` if none is known. */
  onboardingStatus: string | null;
  /** `null` until the stage is `done`. */
  outcome: Outcome | null;
  /** The session's plan with every default filled in. Absent in answers of older workers, and if no worker was asked. */
  plan?: Plan;
  /** What happened, oldest first: the start and the last 50 events. Empty if no worker was asked. */
  timeline: TimelineEntry[];
}

/** An event in the life of a session. */
export interface TimelineEntry {
  /** ISO 8601. @format date-time */
  at: string;
  /** Text for people. Its wording may change. */
  event: string;
}

/** Argument of the `extendDeadline` update. */
export interface ExtendDeadlineInput {
  /** Added to the deadline of the current stage. */
  by: DurationString;
}

/** Answer of the `extendDeadline` update. */
export interface ExtendedDeadline {
  /** ISO 8601. @format date-time */
  deadline: string;
}

/** Argument of the `statusChanged` signal: the body of Incode's status webhook. Other fields are ignored. */
export interface StatusChangedInput {
  interviewId: InterviewId;
  /**
   * Incode's new status, from an open set. Case and surrounding spaces do not matter.
   *
   * @pattern ^\s*[A-Za-z0-9_]{1,64}\s*$
   */
  onboardingStatus: string;
}

/** Argument of the update and the signal `renewToken`. */
export interface RenewTokenInput {
  sessionToken: SessionToken;
}
