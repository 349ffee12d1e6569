import { randomBytes } from 'node:crypto';
import { SESSION_TOKEN_MS, signToken } from './tokens.js';
import type { Effects, OpenedSession, SessionSpec, SessionView } from './types.js';

/** A session as Incode keeps it. Plain JSON, so that it can be kept in a file. */
export interface Session {
  interviewId: string;
  onboardingStatus: string;
  spec: SessionSpec;
  effects: Effects;
  /** Which documents were added. */
  added: { front: boolean; back: boolean; face: boolean };
  /** When asynchronous processing of the ID is done, in ms since the epoch; `null` if it was never asked for. */
  processedAt: number | null;
  finishedAt: number | null;
  closedAt: number | null;
  /** The score as it was when the session was closed. */
  frozenScore: Score | null;
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

/** The sessions and the tokens that reach them. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly tokens = new Map<string, TokenOwner>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly onStatus: (session: Session) => void;
  private readonly onChange: () => void;

  constructor(onStatus: (session: Session) => void, onChange: () => void) {
    this.onStatus = onStatus;
    this.onChange = onChange;
  }

  async open(spec: SessionSpec = {}, given: Partial<Session> = {}): Promise<OpenedSession> {
    const interviewId = spec.interviewId ?? randomBytes(12).toString('hex');
    this.sessions.set(interviewId, {
      interviewId,
      onboardingStatus: spec.onboardingStatus ?? 'UNKNOWN',
      spec,
      effects: { finished: 0, closed: 0, approved: 0 },
      added: { front: false, back: false, face: false },
      processedAt: null,
      finishedAt: null,
      closedAt: null,
      frozenScore: null,
      externalCustomerId: null,
      flowId: null,
      ...given,
    });
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
    this.onChange();
    this.onStatus(session);
  }

  /** finish-status takes effect: rules, score, status, webhook, and a person's verdict some time later. */
  finish(session: Session): void {
    session.effects.finished += 1;
    session.finishedAt = Date.now();
    this.setStatus(session, 'ONBOARDING_FINISHED');
    const { manualReview } = session.spec;
    if (manualReview) {
      const { verdict, afterMs } = manualReview;
      this.later(afterMs, () => this.setStatus(session, `MANUAL_REVIEW_${verdict}`));
    }
  }

  /** Freezes the score. */
  close(session: Session): void {
    session.effects.closed += 1;
    session.frozenScore ??= scoreOf(session);
    session.closedAt ??= Date.now();
    this.onChange();
  }

  later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      what();
    }, ms);
    this.timers.add(timer);
  }

  view(interviewId: string): SessionView {
    const { onboardingStatus, closedAt, effects } = this.get(interviewId);
    const sessionStatus = closedAt === null ? 'Alive' : 'Closed';
    return { interviewId, onboardingStatus, sessionStatus, effects: { ...effects } };
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  toJSON(): unknown {
    return { sessions: [...this.sessions.values()], tokens: [...this.tokens] };
  }

  restore(saved: { sessions: Session[]; tokens: [string, TokenOwner][] }): void {
    for (const session of saved.sessions) this.sessions.set(session.interviewId, session);
    for (const [token, owner] of saved.tokens) this.tokens.set(token, owner);
  }
}

/** Recalculated at finish-status; UNKNOWN before, and until it is ready. */
export function scoreOf({ spec, finishedAt, frozenScore }: Session): Score {
  if (frozenScore) return frozenScore;
  const { score = { status: 'OK', value: '94.6' }, scoreReadyAfterMs = 0 } = spec;
  const ready = finishedAt !== null && Date.now() >= finishedAt + scoreReadyAfterMs;
  return ready ? score : { status: 'UNKNOWN', value: null };
}
