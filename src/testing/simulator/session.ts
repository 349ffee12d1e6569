import { NEVER } from './clock.js';
import type { Effects, SessionEvent, SessionSpec } from './types.js';

/** A session at the simulated Incode. It is plain JSON for the data file. Times are in ms since the epoch. */
export interface SimulatedSession {
  interviewId: string;
  onboardingStatus: string;
  /** The previous status, which reads return while the status lags. */
  laggingStatus?: { onboardingStatus: string; until: number };
  spec: SessionSpec;
  effects: Effects;
  /** The documents that were added. */
  added: { front: boolean; back: boolean; face: boolean };
  /** Whether `process/id` was called since an ID was added. */
  isIdProcessed?: boolean;
  /** When post-processing is done. `null` if it was not requested. */
  processedAt: number | null;
  /** When the session expires unless it is finished. */
  expiresAt: number | null;
  /** When the score was last calculated. */
  finishedAt: number | null;
  closedAt: number | null;
  /** When a person will decide. */
  verdictAt: number | null;
  /** The decision of a person before the session was closed. */
  verdict: 'APPROVED' | 'REJECTED' | null;
  externalCustomerId: string | null;
  flowId: string | null;
}

export interface Score {
  status: string;
  value: string | null;
}

/** Incode's milestones in their usual order. An earlier one never replaces a later one. */
const ORDER = [
  'UNKNOWN',
  'ID_VALIDATION_FINISHED',
  'ID_VALIDATION_FINISHED_SECOND_ID',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  'ONBOARDING_FINISHED',
];

/** Whether processing may change the status. A status outside the order, such as EXPIRED, is final. */
export function isForward(from: string, to: string): boolean {
  const reached = ORDER.indexOf(from);
  return reached >= 0 && ORDER.indexOf(to) > reached;
}

export function canExpire({ effects, onboardingStatus }: SimulatedSession): boolean {
  return effects.finished === 0 && isForward(onboardingStatus, 'ONBOARDING_FINISHED');
}

/** A session that was opened directly and has no documents counts as processed. */
export function isProcessed({ added, processedAt }: SimulatedSession, now: number): boolean {
  return processedAt === null ? !added.front && !added.back : now >= processedAt;
}

/** The score is calculated at finish-status. It is UNKNOWN before that and until it is ready. */
export function scoreOf({ spec, finishedAt, verdict }: SimulatedSession, now: number, lagMs: number): Score {
  const { score = { status: 'OK', value: '94.6' }, scoreReadyAfterMs = lagMs } = spec;
  const readyAt = finishedAt === null ? NEVER : finishedAt + (scoreReadyAfterMs ?? NEVER);
  if (now < readyAt) return { status: 'UNKNOWN', value: null };
  if (score.status !== 'MANUAL_PENDING' || verdict === null) return score;
  return { ...score, status: verdict === 'APPROVED' ? 'MANUAL_OK' : 'MANUAL_FAIL' };
}

/** @returns the event of the session webhook for a finished session, or `undefined` if neither rules nor score decided */
export function eventOfFinish({ spec: { action = 'approved', score } }: SimulatedSession): SessionEvent | undefined {
  if (action === 'approved') return 'SESSION_SUCCEEDED';
  if (action === 'rejected') return 'SESSION_FAILED';
  const status = score?.status ?? 'OK';
  if (status === 'OK' || status === 'MANUAL_OK') return 'SESSION_SUCCEEDED';
  if (status === 'FAIL' || status === 'MANUAL_FAIL') return 'SESSION_FAILED';
  return status === 'WARN' || status.startsWith('MANUAL') ? 'SESSION_PENDING_REVIEW' : undefined;
}

export function identityOf({ interviewId }: SimulatedSession): string {
  return `identity-${interviewId}`;
}
