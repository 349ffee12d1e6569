import type { VerifyFirst } from './verify-first.js';

// The tags @pattern, @maxLength, @minItems, @format and the like become rules of schema/contract.json (`npm run schema`); a test
// holds them against the guards, which decide.

/**
 * Incode's id of a session: printable ASCII without spaces. It also names the workflow.
 *
 * @maxLength 200
 * @pattern ^[!-~]+$
 */
export type InterviewId = string;

/**
 * A session's token, a JWT that Incode issues for 90 days: printable ASCII without spaces.
 *
 * @maxLength 16384
 * @pattern ^[!-~]+$
 */
export type SessionToken = string;

/**
 * The id of a flow at Incode, sent along with finish-status.
 *
 * @maxLength 200
 * @pattern ^[!-~]+$
 */
export type FlowId = string;

/**
 * A duration as Temporal's TypeScript SDK writes it, such as `"15 minutes"`, `"36h"`, `"1.5 days"` or `"2 weeks"`: a number
 * above 0 and a unit from milliseconds to weeks, at most ten years.
 *
 * @pattern ^\s*(\d*[1-9]\d*(\.\d+)?|\d+\.\d*[1-9]\d*)\s*([Mm]([Ss]([Ee][Cc][Ss]?)?|[Ii][Ll][Ll][Ii][Ss][Ee][Cc][Oo][Nn][Dd][Ss]?|([Ii][Nn]([Uu][Tt][Ee])?[Ss]?)?)|[Ss]([Ee][Cc]([Oo][Nn][Dd])?[Ss]?)?|[Hh]([Rr][Ss]?|[Oo][Uu][Rr][Ss]?)?|[Dd]([Aa][Yy][Ss]?)?|[Ww]([Ee][Ee][Kk][Ss]?)?)\s*$
 */
export type DurationString = string;

/** What `onboardingSession` is started with: plain JSON that any SDK can send. */
export interface OnboardingInput {
  interviewId: InterviewId;
  /** Without it the worker asks its token source; a worker that has none waits in `needsToken` for `renewToken`. */
  sessionToken?: SessionToken;
  flowId?: FlowId;
  plan?: Plan;
  /**
   * What happens before the first request to finish the session. Give `settle` for a session that is started again after its
   * workflow was terminated. Earlier versions had booleans: `true` means `settle`, and `false` means `look`.
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
   * - `processed`: when Incode's post-processing is done, which its webhook or a slow poll tells;
   * - `asked`: when the update `finish` comes. Nothing is polled meanwhile.
   *
   * The update `finish` and a session that is finished already end each of these waits.
   *
   * @default "now"
   */
  finishWhen?: 'now' | 'processed' | 'asked';
  /**
   * How long to wait for that, from the start of the workflow; then the outcome is `expired`. The update `extendDeadline`
   * moves it.
   *
   * @default "7 days": who has not shown a document after a week will hardly come back.
   */
  captureDeadline?: DurationString;
  /**
   * Close the session at Incode after finishing: later uploads are refused and the score is frozen.
   *
   * @default false
   */
  close?: boolean;
  /**
   * Read the score, which then decides the outcome. Without it the rule engine's `action` does.
   *
   * @default true
   */
  score?: boolean;
  /**
   * How long a score that is not ready is asked for; then the outcome is `undecided`. An outage is waited out, and the score
   * asked for once more after it.
   *
   * @default "15 minutes": post-processing takes seconds, so a score missing for longer will not come by itself.
   */
  scoreDeadline?: DurationString;
  /**
   * What to do with a session that a person has to look at: `report` it as `needsReview`, or `wait` for the verdict, which
   * Incode's webhook or a slow poll tells.
   *
   * @default "report"
   */
  review?: 'report' | 'wait';
  /**
   * How long to wait for the verdict; then the outcome is what it was without one. The update `extendDeadline` moves it.
   *
   * @default "30 days"
   */
  reviewDeadline?: DurationString;
}

export const STAGES = ['waiting', 'finishing', 'needsToken', 'closing', 'scoring', 'inReview', 'done'] as const;

/** Where a session stands. `done` is the last one. */
export type Stage = (typeof STAGES)[number];

export const OUTCOMES = ['approved', 'rejected', 'needsReview', 'undecided', 'expired'] as const;

/** How the onboarding ended. A business result is a value, never an exception. */
export type Outcome = (typeof OUTCOMES)[number];

/** The answer to "finish this session". */
export interface FinishAnswer {
  /**
   * Incode's rule engine: `approved`, `rejected`, `none` (no automatic decision), or a value that is new to us. `null`
   * when the answer did not reach us and completion was confirmed by the session's status.
   */
  action: string | null;
  /** Where Incode wants the user sent, an http or https URL; `null` if it named nothing, or nothing safe. */
  redirectionUrl: string | null;
  /**
   * Why Incode's `redirectionUrl` was not handed on: another scheme than http or https, not a URL, or longer than 2,048 bytes or, in a
   * batch, than its shard has room for. Left out if there is nothing to say.
   */
  redirectionUnsafe?: 'scheme' | 'malformed' | 'tooLong';
  /**
   * - `response`: Incode's answer arrived;
   * - `status`: the session's status says that it is finished;
   * - `webhook`: only a webhook told of it, because no token was there to ask Incode;
   * - `unconfirmed`: a request to finish may have taken effect, and the session's status did not confirm it in time. The outcome is
   *   `undecided`: look at the session on Incode's dashboard.
   */
  confirmedBy: 'response' | 'status' | 'webhook' | 'unconfirmed';
}

/** What Incode's score comes to. */
export interface ScoreAnswer {
  /** Incode's overall status: OK, WARN, FAIL, MANUAL…, or a value that is new to us. */
  status: string;
  /** Incode's overall value, a string such as `"94.6"`; `null` if missing. Decide on the status, not on this. */
  value: string | null;
}

/** What `onboardingSession` returns. */
export interface OnboardingResult {
  interviewId: InterviewId;
  outcome: Outcome;
  /** `null` if the session expired, or its capture deadline passed, before it could be finished. */
  finish: FinishAnswer | null;
  /** `null` if the plan did not ask for it, or it was not ready by `scoreDeadline`. */
  score: ScoreAnswer | null;
  /** Whether the session was closed; `null` if the plan did not ask for it, or finishing is unconfirmed; `false` if Incode refused. */
  closed: boolean | null;
  /** The last onboarding status known from Incode, or `null`. */
  onboardingStatus: string | null;
  /**
   * Who told `onboardingStatus`, on which a person's verdict and `expired` rest: `incode` answered it; or `webhook`, because no
   * token was there to ask Incode. Anybody who can reach the receiver with its secret may have sent that. Missing without a status.
   */
  confirmedBy?: 'incode' | 'webhook';
  /** One sentence for people: what the outcome rests on. */
  reason: string;
}

/** The workflow `onboardingSession`, for typed handles. */
export type OnboardingWorkflow = (input: OnboardingInput) => Promise<OnboardingResult>;

/** Answer of the `state` query. */
export interface OnboardingState {
  interviewId: InterviewId;
  stage: Stage;
  /** What the session waits for that somebody has to do; `null` if nobody has to do anything. */
  waitingFor: string | null;
  /**
   * When the present wait ends by itself, in ISO 8601; `null` if it does not.
   *
   * @format date-time
   */
  deadline: string | null;
  finish: FinishAnswer | null;
  score: ScoreAnswer | null;
  onboardingStatus: string | null;
  /** `null` until the stage is `done`. */
  outcome: Outcome | null;
  /** The plan that the session follows, its defaults filled in. Missing in answers of older workers, and if no worker was asked. */
  plan?: Plan;
  /** What happened when, oldest first: the start, and the last 50 events. Empty for a session whose history is not read. */
  timeline: TimelineEntry[];
}

/** Something that happened to a session. */
export interface TimelineEntry {
  /**
   * ISO 8601.
   *
   * @format date-time
   */
  at: string;
  /** For people; its wording may change. */
  event: string;
}

/** Argument of the `extendDeadline` update. */
export interface ExtendDeadlineInput {
  /** How much longer the stage in which the session is may last; added to its deadline. */
  by: DurationString;
}

/** Answer of the `extendDeadline` update. */
export interface ExtendedDeadline {
  /**
   * ISO 8601.
   *
   * @format date-time
   */
  deadline: string;
}

/** Argument of the `statusChanged` signal: what Incode's status webhook says. What else stands there is not read. */
export interface StatusChangedInput {
  interviewId: InterviewId;
  /**
   * Incode's new status, from an open set. Case and spaces around it do not matter.
   *
   * @pattern ^\s*[A-Za-z0-9_]{1,64}\s*$
   */
  onboardingStatus: string;
}

/** Argument of the update and the signal `renewToken`. */
export interface RenewTokenInput {
  sessionToken: SessionToken;
}
