import type { BatchRow, FinishAnswer, OnboardingResult } from '../../src/contract/index.js';
import type { Call, SessionView } from '../../src/testing/index.js';
import type { PersonEvidence } from './people-record.js';
import type { PlannedSession } from './types.js';

/** What the campaign did to a session. Together with what Incode saw, it determines the allowed endings. */
export interface SessionRecord {
  session: PlannedSession;
  by: 'single' | 'batch' | 'person';
  /** The server has confirmed the start. */
  acknowledged: boolean;
  cancelled: boolean;
  terminated: boolean;
  /** The workflow was reset, or a completed onboarding was started again. */
  repeated: boolean;
  /** A verdict that the campaign set at Incode, so that the session could end. */
  verdict: boolean;
  /** The answers to callers of `finish`. */
  answers: (FinishAnswer | null)[];
  /** Errors that a caller must not get, such as undocumented ones. */
  problems: string[];
}

export function newRecord(session: PlannedSession, by: SessionRecord['by']): SessionRecord {
  return {
    session,
    by,
    acknowledged: false,
    cancelled: false,
    terminated: false,
    repeated: false,
    verdict: false,
    answers: [],
    problems: [],
  };
}

export type RunStatus =
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timedOut'
  | 'continued'
  | 'unknown';

/** One run of a workflow, as the server describes it. */
export interface RunSummary {
  workflowId: string;
  runId: string;
  status: RunStatus;
  startedAt: number;
  closedAt: number | null;
  result: unknown;
  failure: { type: string; message: string } | null;
  /** Workflow tasks that failed unexpectedly. */
  failedTasks: string[];
  openActivities: string[];
  /** The types of its events, with their subjects. */
  outline: string[];
}

/** How a session ended, in a single workflow or in a batch. */
export interface Ending {
  status: RunStatus;
  startedAt: number;
  closedAt: number | null;
  result: Partial<OnboardingResult> | null;
  failure: { type: string; message: string } | null;
}

/** What Incode saw of a session. */
interface SeenByIncode {
  view: SessionView;
  calls: Call[];
}

/** A session in two batches has one for each. */
export interface SessionEvidence {
  record: SessionRecord;
  /** Oldest first. Empty for a session of a batch. */
  runs: RunSummary[];
  /** `null` for a single session, or if the batch has no row for it. */
  row: BatchRow | null;
  /** When its batch started and ended. */
  rowFrom: number;
  rowTo: number;
  incode: SeenByIncode;
}

export interface Interval {
  from: number;
  to: number;
}

export interface Evidence {
  tokenSource: boolean;
  sessions: SessionEvidence[];
  /** Runs of shards. */
  shards: RunSummary[];
  /** Runs of the workflow that records which shard holds which session. It ends some time after the last shard. */
  claims: RunSummary[];
  people: PersonEvidence[];
  /** Runs of shards of people. */
  peopleShards: RunSummary[];
  stalls: Interval[];
  /** When workers may have lost what they were doing, or could not report it. */
  interruptions: Interval[];
  /** Problems that no other evidence shows: a process that ended unexpectedly, a call that never returned. */
  problems: string[];
  /** Texts that must not contain secrets, by name. */
  texts: Record<string, string>;
  /** The decrypted payloads of each workflow's histories. */
  payloads: Record<string, string>;
  /** The secrets to search for, by name. */
  secrets: Record<string, string>;
}

export interface Violation {
  invariant: 'ending' | 'once' | 'secret' | 'stuck' | 'unexpected' | 'person' | 'orphan' | 'upload';
  /** The name of the session, the shard or the text. */
  who: string;
  what: string;
}
