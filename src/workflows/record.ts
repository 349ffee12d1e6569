import { workflowInfo } from '@temporalio/workflow';
import type { ResolvedPlan } from '../contract/guards.js';
import type { FinishAnswer, OnboardingInput, Outcome, ScoreAnswer, Stage, TimelineEntry } from '../contract/index.js';
import { laterStatus, milestoneOf, verdictOf } from '../contract/milestones.js';
import { needed } from './unreadable.js';

/** The state of a session. Continue-as-new hands it to the next run, so it is plain JSON. */
export interface SessionRecord {
  /** Never `needsToken`, which is a wait within a stage. */
  stage: Exclude<Stage, 'needsToken'>;
  /** When the stage ends by itself, in ms since the epoch. `null` if it does not end by itself. */
  deadline: number | null;
  token: string | null;
  /** Incode issued the token for this session, in answer to the worker. Records of earlier versions lack it. */
  isTokenIssued?: boolean;
  /** The last token that Incode refused or that belongs to another session. */
  refusedToken: string | null;
  /** Why that token was refused, in words for people. Records of earlier versions lack it. */
  refusal?: string;
  /** When the token source gave the token, in ms since the epoch. `null` once a call accepted it, and for tokens from elsewhere. */
  unprovenSince: number | null;
  /** Whether an update `finish` arrived. */
  asked: boolean;
  /**
   * A finish request that another run or workflow may have sent, or one of this run with an unknown result. `lastSentAt` is the last
   * time, in ms since the epoch, at which a request that may have taken effect can have been sent. `accepted` means that Incode answered
   * with 2xx. `null` if there can be no such request.
   */
  earlierRequest: { lastSentAt: number | null; accepted?: true } | null;
  /** `null` until Incode answered. `finish` is `null` if the session expired. */
  answer: { finish: FinishAnswer | null } | null;
  /** `null` until the workflow tried to close the session. */
  closed: boolean | null;
  /** `null` until the score was read. `answer` is `null` if it was not ready in time. */
  score: { answer: ScoreAnswer | null } | null;
  onboardingStatus: string | null;
  /** Only a webhook reported the status, because there was no token to ask Incode with. */
  byWebhook: boolean;
  outcome: Outcome | null;
  /** Statuses that webhooks reported, so that repeats add nothing to the timeline. */
  heard: string[];
  /** Statuses of webhooks that may decide something once Incode confirms them: one of each kind, oldest first. */
  hints: string[];
  /** How often Incode contradicted a webhook. */
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
    // Set here so that an update that arrives together with the start sees it.
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
 * @returns the record of the previous run, if it continued as new. A run that the server starts for a retry policy or a cron schedule
 * gets the arguments of the first caller instead, which may be anything.
 */
export function carriedRecord(carried: unknown): SessionRecord | undefined {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return undefined;
  const record = needed(carried) as Partial<SessionRecord> | null | undefined;
  const isRecord = Array.isArray(record?.timeline) && Array.isArray(record.heard);
  if (!isRecord) return undefined;
  const missingInOlderVersions = { byWebhook: false, hints: [], contradictions: 0 };
  return { ...missingInOlderVersions, ...(record as SessionRecord) };
}

/** Limits the memory and the answer to a query after months of webhooks and renewed tokens. */
const MAX_EVENTS = 50;

/** Adds an event to the timeline, which keeps its first and its latest events. */
export function addEvent(record: Pick<SessionRecord, 'timeline'>, event: string, at = new Date()): void {
  record.timeline.push({ at: at.toISOString(), event });
  if (record.timeline.length > MAX_EVENTS + 1) record.timeline.splice(1, 1);
}

/** Applies a status. Statuses may arrive in any order. */
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

/** Incode documents ten statuses. The limit bounds the memory. */
const MAX_HEARD = 50;

/** Each contradiction costs some reads over minutes. The limit bounds the reads that forged webhooks can cause. */
const MAX_CONTRADICTIONS = 10;

/** Incode sends each webhook at least once, in any order. @returns whether this is the first with this status */
export function applyWebhookStatus(record: SessionRecord, onboardingStatus: string): boolean {
  const { heard } = record;
  if (heard.includes(onboardingStatus)) return false;
  heard.push(onboardingStatus);
  if (heard.length > MAX_HEARD) heard.shift();
  addEvent(record, `Webhook: ${onboardingStatus}`);
  return true;
}

/** Whether a webhook reports more than is known, so that it may decide something if it is true. */
export function saysMore({ onboardingStatus, byWebhook }: SessionRecord, heard: string): boolean {
  if (kindOf(heard) === 'open' || (heard === onboardingStatus && !byWebhook)) return false;
  return laterStatus(onboardingStatus, heard) === heard;
}

/** Keeps a status from a webhook, which decides nothing until Incode confirms it: anybody may have sent the webhook. */
export function keepHint(record: SessionRecord, heard: string): void {
  const { hints, contradictions } = record;
  if (hints.includes(heard) || contradictions >= MAX_CONTRADICTIONS) return;
  record.hints = [...hints.filter((hint) => kindOf(hint) !== kindOf(heard)), heard];
}

function kindOf(onboardingStatus: string): string {
  return verdictOf(onboardingStatus) ?? milestoneOf(onboardingStatus);
}
