import { workflowInfo } from '@temporalio/workflow';
import {
  type FinishAnswer,
  laterStatus,
  type OnboardingInput,
  type Outcome,
  type ResolvedPlan,
  type ScoreAnswer,
  type Stage,
  type TimelineEntry,
} from '../contract/index.js';
import { written } from './unreadable.js';

/** What is known of a session, and handed to the next run when a history has grown long. Plain JSON. */
export interface SessionRecord {
  /** Never `needsToken`, which is a wait within a stage. */
  stage: Exclude<Stage, 'needsToken'>;
  /** When the stage ends by itself, in ms since the epoch; `null` if it does not. */
  deadline: number | null;
  token: string | null;
  /** The last token that Incode refused. */
  refusedToken: string | null;
  /** When the token source gave the token, in ms since the epoch; `null` if it is not of the source, or a call has accepted it. */
  unprovenSince: number | null;
  /** The update `finish` has come. */
  asked: boolean;
  /**
   * Somebody may have made Incode finish the session: another run or workflow, or a call of this one whose fate is not known.
   * With when that was last possible, in ms since the epoch, if it may still be under way. `null` if nobody can have.
   */
  earlierRequest: { lastSentAt: number | null } | null;
  /** `null` until Incode has answered; `finish` is `null` if the session has expired. */
  answer: { finish: FinishAnswer | null } | null;
  /** `null` until it was tried. */
  closed: boolean | null;
  /** `null` until it was read; `answer` is `null` if it was not ready in time. */
  score: { answer: ScoreAnswer | null } | null;
  onboardingStatus: string | null;
  outcome: Outcome | null;
  /** Statuses of which a webhook has told, so that repeats say nothing new. */
  heard: string[];
  timeline: TimelineEntry[];
}

export function newRecord(
  input: OnboardingInput,
  { finishWhen, captureDeadlineMs }: Pick<ResolvedPlan, 'finishWhen' | 'captureDeadlineMs'>,
): SessionRecord {
  const isWaiting = finishWhen !== 'now';
  const record: SessionRecord = {
    stage: isWaiting ? 'waiting' : 'finishing',
    // Here, so that an update that comes together with the start finds it.
    deadline: isWaiting ? Date.now() + captureDeadlineMs : null,
    token: input.sessionToken ?? null,
    refusedToken: null,
    unprovenSince: null,
    asked: false,
    earlierRequest: null,
    answer: null,
    closed: null,
    score: null,
    onboardingStatus: null,
    outcome: null,
    heard: [],
    timeline: [],
  };
  note(record, 'Started', workflowInfo().startTime);
  note(record, `Stage: ${record.stage}`);
  return record;
}

/**
 * What the run before handed on, if it did. The server starts runs of its own too, by a retry policy or a cron schedule, with
 * whatever a foreign caller gave to the first.
 */
export function carriedRecord(given: unknown): SessionRecord | undefined {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return undefined;
  const record = written(given) as Partial<SessionRecord> | null | undefined;
  const isOurs = Array.isArray(record?.timeline) && Array.isArray(record.heard);
  return isOurs ? (record as SessionRecord) : undefined;
}

/** Months of renewals and webhooks must not fill the memory, nor a query's answer. */
const MAX_EVENTS = 50;

/** Adds to the timeline, which keeps its beginning and its end. */
export function note(record: SessionRecord, event: string, at = new Date()): void {
  record.timeline.push({ at: at.toISOString(), event });
  if (record.timeline.length > MAX_EVENTS + 1) record.timeline.splice(1, 1);
}

/** Takes in what Incode says of the session, in whichever order it comes. */
export function learn(record: SessionRecord, onboardingStatus: string | null, source: 'answer' | 'webhook'): void {
  if (onboardingStatus === null) return;
  const later = laterStatus(record.onboardingStatus, onboardingStatus);
  if (later !== record.onboardingStatus) note(record, `Incode's status: ${onboardingStatus} (${source})`);
  record.onboardingStatus = later;
}

/** There are ten statuses; what is beyond is noise. */
const MAX_HEARD = 50;

/** A webhook comes at least once, in any order: only the first of each status says something. */
export function hear(record: SessionRecord, onboardingStatus: string): void {
  if (record.heard.includes(onboardingStatus)) return;
  record.heard.push(onboardingStatus);
  if (record.heard.length > MAX_HEARD) record.heard.shift();
  learn(record, onboardingStatus, 'webhook');
}
