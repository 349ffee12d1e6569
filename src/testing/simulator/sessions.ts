import { randomBytes } from 'node:crypto';
import { checkSession } from './checks.js';
import { Timers } from './timers.js';
import { SESSION_TOKEN_MS, signToken } from './tokens.js';
import type { Effects, OpenedSession, SessionSpec, SessionView } from './types.js';

/** A session as Incode keeps it. Plain JSON, so that it can be kept in a file. Times are in ms since the epoch. */
export interface Session {
  interviewId: string;
  onboardingStatus: string;
  spec: SessionSpec;
  effects: Effects;
  /** Which documents were added. */
  added: { front: boolean; back: boolean; face: boolean };
  /** When post-processing is done; `null` if it was never asked for. */
  processedAt: number | null;
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

interface TokenOwner {
  interviewId: string;
  /** Milliseconds since the epoch; 0 once it was revoked. */
  expiresAt: number;
}

/** Incode's milestones in their usual order: a later one is never taken back by an earlier one. */
const ORDER = [
  'UNKNOWN',
  'ID_VALIDATION_FINISHED',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  'ONBOARDING_FINISHED',
];

/** Later than any test or any `dev` runs. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The sessions and the tokens that reach them. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly tokens = new Map<string, TokenOwner>();
  private readonly timers = new Timers();
  private readonly onStatus: (session: Session) => void;
  private readonly onChange: () => void;

  constructor(onStatus: (session: Session) => void, onChange: () => void) {
    this.onStatus = onStatus;
    this.onChange = onChange;
  }

  /** @throws TypeError if the session exists, or cannot be what it should be */
  async open(spec: SessionSpec = {}): Promise<OpenedSession> {
    checkSession(spec);
    const { interviewId = randomBytes(12).toString('hex'), processedAfterMs } = spec;
    if (this.sessions.has(interviewId)) throw new TypeError('There is already a session with this interviewId');
    const session: Session = {
      interviewId,
      onboardingStatus: spec.onboardingStatus ?? 'UNKNOWN',
      spec,
      effects: { finished: 0, closed: 0, approved: 0 },
      added: { front: false, back: false, face: false },
      processedAt: processedAfterMs === undefined ? null : Math.min(Date.now() + (processedAfterMs ?? NEVER), NEVER),
      finishedAt: null,
      closedAt: null,
      verdictAt: null,
      verdict: null,
      externalCustomerId: spec.externalCustomerId ?? null,
      flowId: spec.flowId ?? null,
    };
    this.sessions.set(interviewId, session);
    this.awaitProcessing(session);
    return { interviewId, token: await this.issueToken(interviewId, spec.tokenExpiresInMs) };
  }

  /** @throws Error if there is no such session */
  get(interviewId: string): Session {
    const session = this.sessions.get(interviewId);
    if (!session) throw new Error(`The simulator has no session ${interviewId}`);
    return session;
  }

  find(interviewId: string): Session | undefined {
    return this.sessions.get(interviewId);
  }

  async issueToken(interviewId: string, expiresInMs = SESSION_TOKEN_MS): Promise<string> {
    this.get(interviewId);
    const expiresAt = Date.now() + expiresInMs;
    const token = await signToken({ interviewId }, expiresAt);
    this.tokens.set(token, { interviewId, expiresAt });
    this.onChange();
    return token;
  }

  revokeTokens(interviewId: string): void {
    for (const owner of this.tokens.values()) if (owner.interviewId === interviewId) owner.expiresAt = 0;
    this.onChange();
  }

  /** @returns `undefined` if the token was never issued, was revoked, or has expired */
  byToken(token: string): Session | undefined {
    const owner = this.tokens.get(token);
    return owner && owner.expiresAt > Date.now() ? this.sessions.get(owner.interviewId) : undefined;
  }

  /** Whose token it is or was. */
  ownerOf(token: string): string | null {
    return this.tokens.get(token)?.interviewId ?? null;
  }

  /** A milestone is reached; the webhook says so each time, also the same one again. */
  setStatus(session: Session, onboardingStatus: string): void {
    session.onboardingStatus = onboardingStatus;
    if (onboardingStatus === 'POST_PROCESSING_FINISHED') {
      session.processedAt = Math.min(session.processedAt ?? NEVER, Date.now());
    }
    if (onboardingStatus === 'MANUAL_REVIEW_APPROVED' && session.closedAt === null) session.verdict = 'APPROVED';
    if (onboardingStatus === 'MANUAL_REVIEW_REJECTED' && session.closedAt === null) session.verdict = 'REJECTED';
    this.onChange();
    this.onStatus(session);
  }

  /** Processing moves a session forward only, and says nothing if it is further already. */
  advance(session: Session, milestone: string): void {
    const reached = ORDER.indexOf(session.onboardingStatus);
    // A status outside the order, such as EXPIRED or a person's verdict, is the last word.
    if (reached >= 0 && ORDER.indexOf(milestone) > reached) this.setStatus(session, milestone);
  }

  add(session: Session, part: keyof Session['added']): void {
    session.added[part] = true;
    this.onChange();
  }

  /** Starts the asynchronous processing of the ID. */
  process(session: Session, ms: number): void {
    session.processedAt = Date.now() + ms;
    this.onChange();
    this.awaitProcessing(session);
  }

  /** finish-status takes effect: rules, score, status, webhook, and a person's verdict some time later. */
  finish(session: Session): void {
    const now = Date.now();
    session.effects.finished += 1;
    // Closing froze the score.
    if (session.closedAt === null) session.finishedAt = now;
    const { manualReview } = session.spec;
    if (manualReview) session.verdictAt = now + manualReview.afterMs;
    this.setStatus(session, 'ONBOARDING_FINISHED');
    this.awaitVerdict(session);
  }

  /** Freezes the score: what was calculated still comes, but nothing changes it any more. */
  close(session: Session): void {
    session.effects.closed += 1;
    session.closedAt ??= Date.now();
    this.onChange();
  }

  approve(session: Session): void {
    session.effects.approved += 1;
    this.onChange();
  }

  view(interviewId: string): SessionView {
    const session = this.get(interviewId);
    const { onboardingStatus, closedAt, externalCustomerId, flowId, effects } = session;
    return {
      interviewId,
      onboardingStatus,
      sessionStatus: closedAt === null ? 'Alive' : 'Closed',
      score: scoreOf(session),
      externalCustomerId,
      flowId,
      effects: { ...effects },
    };
  }

  stop(): void {
    this.timers.stop();
  }

  toJSON(): unknown {
    return { sessions: [...this.sessions.values()], tokens: [...this.tokens] };
  }

  /** Goes on where another simulator stopped; what fell due meanwhile happens now. */
  restore(saved: { sessions: Session[]; tokens: [string, TokenOwner][] }): void {
    for (const [token, owner] of saved.tokens) this.tokens.set(token, owner);
    for (const session of saved.sessions) {
      this.sessions.set(session.interviewId, session);
      this.awaitProcessing(session);
      this.awaitVerdict(session);
    }
  }

  private awaitProcessing(session: Session): void {
    const { processedAt } = session;
    if (processedAt === null) return;
    this.timers.at(processedAt, () => {
      // Unless it was started again meanwhile.
      if (session.processedAt === processedAt) this.advance(session, 'POST_PROCESSING_FINISHED');
    });
  }

  private awaitVerdict(session: Session): void {
    const { verdictAt } = session;
    if (verdictAt === null) return;
    this.timers.at(verdictAt, () => {
      // Unless it was finished again meanwhile.
      if (session.verdictAt !== verdictAt) return;
      session.verdictAt = null;
      this.setStatus(session, `MANUAL_REVIEW_${session.spec.manualReview?.verdict}`);
    });
  }
}

/** Nothing to process, as in a session that was opened without documents, counts as processed. */
export function isProcessed({ added, processedAt }: Session): boolean {
  return processedAt === null ? !added.front && !added.back : Date.now() >= processedAt;
}

/** Calculated at finish-status; UNKNOWN before, and until it is ready. */
export function scoreOf({ spec, finishedAt, verdict }: Session): Score {
  const { score = { status: 'OK', value: '94.6' }, scoreReadyAfterMs = 0 } = spec;
  const readyAt = finishedAt === null ? NEVER : finishedAt + (scoreReadyAfterMs ?? NEVER);
  if (Date.now() < readyAt) return { status: 'UNKNOWN', value: null };
  if (score.status !== 'MANUAL_PENDING' || verdict === null) return score;
  return { ...score, status: verdict === 'APPROVED' ? 'MANUAL_OK' : 'MANUAL_FAIL' };
}
