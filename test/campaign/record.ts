import type { BatchRow, FinishAnswer, OnboardingResult } from '../../src/contract/index.js';
import type { Call, SessionView } from '../../src/testing/index.js';
import type { PlannedSession } from './types.js';

/** What the campaign did to a session; what may have become of it follows from this and from what Incode saw. */
export interface SessionRecord {
  session: PlannedSession;
  by: 'single' | 'batch';
  /** The server has said that it has it. */
  acknowledged: boolean;
  cancelled: boolean;
  terminated: boolean;
  /** The workflow was reset, or a completed onboarding gone through again. */
  repeated: boolean;
  /** A verdict that the campaign itself gave at Incode, so that the session could end. */
  verdict: boolean;
  /** What callers of `finish` were answered. */
  answers: (FinishAnswer | null)[];
  /** What nobody may be told, such as an error that is not documented. */
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

/** One run of a workflow, as the server tells it. */
export interface RunSummary {
  workflowId: string;
  runId: string;
  status: RunStatus;
  startedAt: number;
  closedAt: number | null;
  result: unknown;
  failure: { type: string; message: string } | null;
  /** Workflow tasks that failed for no known reason. */
  failedTasks: string[];
  openActivities: string[];
  /** Types of its events, and what they are about. */
  outline: string[];
}

/** How a session ended, wherever it was completed. */
export interface Ending {
  status: RunStatus;
  startedAt: number;
  closedAt: number | null;
  result: Partial<OnboardingResult> | null;
  failure: { type: string; message: string } | null;
}

/** What Incode saw of a session. */
export interface SeenByIncode {
  view: SessionView;
  calls: Call[];
}

export interface SessionEvidence {
  record: SessionRecord;
  /** Oldest first; none for a session of a batch. */
  runs: RunSummary[];
  /** `null` for one that no batch has, or that is single. */
  row: BatchRow | null;
  /** When its batch began and ended. */
  rowFrom: number;
  rowTo: number;
  incode: SeenByIncode;
}

export interface Evidence {
  tokenSource: boolean;
  sessions: SessionEvidence[];
  /** Runs of shards. */
  shards: RunSummary[];
  stalls: { from: number; to: number }[];
  /** Of whichever nothing else tells: a process that ended by itself, a call that never returned. */
  problems: string[];
  /** What has to be free of secrets, by its name. */
  texts: Record<string, string>;
  /** What stands in the payloads of each workflow's histories, decrypted. */
  payloads: Record<string, string>;
  /** What they are searched for. */
  secrets: Record<string, string>;
}

export interface Violation {
  invariant: 'ending' | 'once' | 'secret' | 'stuck' | 'unexpected';
  /** Of the session, the shard or the text. */
  who: string;
  what: string;
}
