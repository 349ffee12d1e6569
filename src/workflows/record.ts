import { workflowInfo } from '@temporalio/workflow';
import {
  type FinishAnswer,
  laterStatus,
  milestoneOf,
  type OnboardingInput,
  type Outcome,
  type ResolvedPlan,
  type ScoreAnswer,
  type Stage,
  type TimelineEntry,
  verdictOf,
} from '../contract/index.js';
import { written } from './unreadable.js';

/** What is known of a session, and handed to the next run when a history has grown long. Plain JSON. */
export interface SessionRecord {
  /** Never `needsToken`, which is a wait within a stage. */
  stage: Exclude<Stage, 'needsToken'>;
  /** When the stage ends by itself, in ms since the epoch; `null` if it does not. */
  deadline: number | null;
  token: string | null;
  /** Incode has issued it for this session, in answer to the worker. Records of earlier versions do not say. */
  isTokenIssued?: boolean;
  /** The last token that Incode refused, or that is for another session. */
  refusedToken: string | null;
  /** Why, for people. Records of earlier versions have none. */
  refusal?: string;
  /** When the token source gave the token, in ms since the epoch; `null` if it is not of the source, or a call has accepted it. */
  unprovenSince: number | null;
  /** The update `finish` has come. */
  asked: boolean;
  /**
   * Somebody may have made Incode finish the session: another run or workflow, or a call of this one whose fate is not known.
   * With when that was last possible, in ms since the epoch, if it may have taken effect, and whether Incode has answered with 2xx.
   * `null` if nobody can have.
   */
  earlierRequest: { lastSentAt: number | null; accepted?: true } | null;
  /** `null` until Incode has answered; `finish` is `null` if the session has expired. */
  answer: { finish: FinishAnswer | null } | null;
  /** `null` until it was tried. */
  closed: boolean | null;
  /** `null` until it was read; `answer` is `null` if it was not ready in time. */
  score: { answer: ScoreAnswer | null } | null;
  onboardingStatus: string | null;
  /** Only a webhook told the status: no token was there to ask Incode. */
  byWebhook: boolean;
  outcome: Outcome | null;
  /** Statuses of which a webhook has told, so that repeats add nothing to the timeline. */
  heard: string[];
  /** Those that may decide something once Incode has confirmed them: one of each kind, oldest first. */
  hints: string[];
  /** How often Incode said otherwise. */
  contradictions: number;
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
    byWebhook: false,
    outcome: null,
    heard: [],
    hints: [],
    contradictions: 0,
    timeline: [],
  };
  addEvent(record, 'Started', workflowInfo().startTime);
  addEvent(record, `Stage: ${record.stage}`);
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
  if (!isOurs) return undefined;
  const ofOlderVersions = { byWebhook: false, hints: [], contradictions: 0 };
  return { ...ofOlderVersions, ...(record as SessionRecord) };
}

/** Months of renewals and webhooks must not fill the memory, nor a query's answer. */
const MAX_EVENTS = 50;

/** Adds to the timeline, which keeps its beginning and its end. */
export function addEvent(record: SessionRecord, event: string, at = new Date()): void {
  record.timeline.push({ at: at.toISOString(), event });
  if (record.timeline.length > MAX_EVENTS + 1) record.timeline.splice(1, 1);
}

/** Takes in what Incode says of the session, in whichever order it comes. */
export function applyStatus(
  record: SessionRecord,
  onboardingStatus: string | null,
  source: 'answer' | 'webhook',
): void {
  if (onboardingStatus === null) return;
  const later = laterStatus(record.onboardingStatus, onboardingStatus);
  if (later !== record.onboardingStatus) addEvent(record, `Incode's status: ${onboardingStatus} (${source})`);
  if (later === onboardingStatus) record.byWebhook = source === 'webhook';
  record.onboardingStatus = later;
  record.hints = record.hints.filter((hint) => saysMore(record, hint));
}

/** There are ten statuses; what is beyond is noise. */
const MAX_HEARD = 50;

/** Each contradiction costs some reads over minutes. Whoever forges webhooks must not make a session ask without end. */
const MAX_CONTRADICTIONS = 10;

/** Incode's webhooks come at least once, in any order. @returns whether it is the first of this status */
export function applyWebhookStatus(record: SessionRecord, onboardingStatus: string): boolean {
  const { heard } = record;
  if (heard.includes(onboardingStatus)) return false;
  heard.push(onboardingStatus);
  if (heard.length > MAX_HEARD) heard.shift();
  addEvent(record, `Webhook: ${onboardingStatus}`);
  return true;
}

/** Whether a webhook says more than is known, so that it may decide something if it is true. */
export function saysMore({ onboardingStatus, byWebhook }: SessionRecord, heard: string): boolean {
  if (kindOf(heard) === 'open' || (heard === onboardingStatus && !byWebhook)) return false;
  return laterStatus(onboardingStatus, heard) === heard;
}

/** Anybody may have sent it: it decides nothing before Incode has confirmed it. */
export function keepHint(record: SessionRecord, heard: string): void {
  const { hints, contradictions } = record;
  if (hints.includes(heard) || contradictions >= MAX_CONTRADICTIONS) return;
  record.hints = [...hints.filter((hint) => kindOf(hint) !== kindOf(heard)), heard];
}

function kindOf(onboardingStatus: string): string {
  return verdictOf(onboardingStatus) ?? milestoneOf(onboardingStatus);
}
