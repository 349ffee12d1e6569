import { NEVER } from './clock.js';
import type { Effects, SessionEvent, SessionSpec } from './types.js';

/** A session as Incode keeps it. Plain JSON, so that it can be kept in a file. Times are in ms since the epoch. */
export interface Session {
  interviewId: string;
  onboardingStatus: string;
  /** What a read of the status still tells, while it lags. */
  laggingStatus?: { onboardingStatus: string; until: number };
  spec: SessionSpec;
  effects: Effects;
  /** Which documents were added. */
  added: { front: boolean; back: boolean; face: boolean };
  /** Whether `process/id` was called since an ID was added. */
  isIdProcessed?: boolean;
  /** When post-processing is done; `null` if it was never asked for. */
  processedAt: number | null;
  /** When it expires, if it is not finished by then. */
  expiresAt: number | null;
  /** When the score was last calculated. */
  finishedAt: number | null;
  closedAt: number | null;
  /** When a person will have decided. */
  verdictAt: number | null;
  /** What a person decided before the session was closed. */
  verdict: 'APPROVED' | 'REJECTED' | null;
  externalCustomerId: string | null;
  flowId: string | null;
}

export interface Score {
  status: string;
  value: string | null;
}

/** Incode's milestones in their usual order: a later one is never taken back by an earlier one. */
const ORDER = [
  'UNKNOWN',
  'ID_VALIDATION_FINISHED',
  'ID_VALIDATION_FINISHED_SECOND_ID',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  'ONBOARDING_FINISHED',
];

/** Processing moves a session forward only. A status outside the order, such as EXPIRED, is the last word. */
export function isForward(from: string, to: string): boolean {
  const reached = ORDER.indexOf(from);
  return reached >= 0 && ORDER.indexOf(to) > reached;
}

export function canExpire({ effects, onboardingStatus }: Session): boolean {
  return effects.finished === 0 && isForward(onboardingStatus, 'ONBOARDING_FINISHED');
}

/** Of a session that was opened directly, nothing to process counts as processed. */
export function isProcessed({ added, processedAt }: Session, now: number): boolean {
  return processedAt === null ? !added.front && !added.back : now >= processedAt;
}

/** Calculated at finish-status; UNKNOWN before, and until it is ready. */
export function scoreOf({ spec, finishedAt, verdict }: Session, now: number, lagMs: number): Score {
  const { score = { status: 'OK', value: '94.6' }, scoreReadyAfterMs = lagMs } = spec;
  const readyAt = finishedAt === null ? NEVER : finishedAt + (scoreReadyAfterMs ?? NEVER);
  if (now < readyAt) return { status: 'UNKNOWN', value: null };
  if (score.status !== 'MANUAL_PENDING' || verdict === null) return score;
  return { ...score, status: verdict === 'APPROVED' ? 'MANUAL_OK' : 'MANUAL_FAIL' };
}

/** What the session webhook says once a session is finished; nothing if neither rules nor score decide. */
export function eventOfFinish({ spec: { action = 'approved', score } }: Session): SessionEvent | undefined {
  if (action === 'approved') return 'SESSION_SUCCEEDED';
  if (action === 'rejected') return 'SESSION_FAILED';
  const status = score?.status ?? 'OK';
  if (status === 'OK' || status === 'MANUAL_OK') return 'SESSION_SUCCEEDED';
  if (status === 'FAIL' || status === 'MANUAL_FAIL') return 'SESSION_FAILED';
  return status === 'WARN' || status.startsWith('MANUAL') ? 'SESSION_PENDING_REVIEW' : undefined;
}

export function identityOf({ interviewId }: Session): string {
  return `identity-${interviewId}`;
}
