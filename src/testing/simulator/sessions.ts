import { randomBytes } from 'node:crypto';
import { isFinished } from '../../contract/index.js';
import type { SimulatorBehavior } from './behavior.js';
import { newCaptureRecord } from './capture/record.js';
import { checkSession } from './checks.js';
import { type Clock, NEVER } from './clock.js';
import {
  canExpire,
  eventOfFinish,
  isForward,
  isProcessed,
  type Score,
  type SessionListener,
  type SimulatedSession,
  scoreOf,
  viewOf,
} from './session.js';
import { type SavedTokens, Tokens } from './tokens.js';
import type { OpenedSession, SessionSpec, SessionView } from './types.js';

export interface SavedSessions {
  sessions: SimulatedSession[];
  tokens: SavedTokens;
}

/** The sessions and their tokens. */
export class Sessions {
  readonly tokens: Tokens;
  private readonly sessions = new Map<string, SimulatedSession>();
  private readonly clock: Clock;
  private readonly behavior: SimulatorBehavior;
  private readonly listener: SessionListener;

  constructor(clock: Clock, behavior: SimulatorBehavior, listener: SessionListener) {
    this.clock = clock;
    this.behavior = behavior;
    this.listener = listener;
    this.tokens = new Tokens(clock, behavior);
  }

  /** @throws TypeError if the session exists or the spec is invalid */
  async open(spec: SessionSpec = {}, customFields: Record<string, string> = {}): Promise<OpenedSession> {
    checkSession(spec);
    const { interviewId = randomBytes(12).toString('hex'), processedAfterMs, expiresAfterMs } = spec;
    if (this.sessions.has(interviewId)) throw new TypeError('There is already a session with this interviewId');
    const session: SimulatedSession = {
      interviewId,
      openedAt: this.clock.now(),
      onboardingStatus: spec.onboardingStatus ?? 'UNKNOWN',
      spec,
      effects: { finished: 0, closed: 0, approved: 0 },
      added: { front: false, back: false, face: false },
      capture: newCaptureRecord(customFields),
      processedAt: processedAfterMs === undefined ? null : this.later(processedAfterMs),
      expiresAt: expiresAfterMs === undefined ? null : this.later(expiresAfterMs),
      // A session that is opened as finished has a score.
      finishedAt: isFinished(spec.onboardingStatus ?? null) ? this.clock.now() : null,
      closedAt: null,
      verdictAt: null,
      verdict: null,
      externalCustomerId: spec.externalCustomerId ?? null,
      flowId: spec.flowId ?? null,
    };
    this.sessions.set(interviewId, session);
    this.awaitProcessing(session);
    this.awaitExpiry(session);
    const token = await this.issueToken(interviewId, spec.tokenExpiresInMs);
    this.listener.onEvent(session, 'SESSION_STARTED');
    return { interviewId, token };
  }

  /** Issues another token for a client that opens the session again. */
  async resume(session: SimulatedSession): Promise<OpenedSession> {
    const { interviewId } = session;
    if (this.behavior.earlierTokens === 'revoked') this.tokens.revoke(interviewId);
    const token = await this.issueToken(interviewId);
    this.listener.onEvent(session, 'SESSION_PROGRESS');
    return { interviewId, token };
  }

  /** @throws Error if there is no such session */
  get(interviewId: string): SimulatedSession {
    const session = this.sessions.get(interviewId);
    if (!session) throw new Error(`The simulator has no session ${interviewId}`);
    return session;
  }

  find(interviewId: string): SimulatedSession | undefined {
    return this.sessions.get(interviewId);
  }

  /** The sessions of a reference, or all, oldest first. */
  of(externalCustomerId?: string): SimulatedSession[] {
    const all = [...this.sessions.values()];
    return externalCustomerId === undefined ? all : all.filter((one) => one.externalCustomerId === externalCustomerId);
  }

  /** @throws Error if there is no such session; TypeError if `expiresInMs` is not a number */
  async issueToken(interviewId: string, expiresInMs?: number): Promise<string> {
    const token = await this.tokens.issue(this.get(interviewId).interviewId, expiresInMs);
    this.listener.onChange();
    return token;
  }

  /** @throws Error if there is no such session */
  revokeTokens(interviewId: string): void {
    this.tokens.revoke(this.get(interviewId).interviewId);
    this.listener.onChange();
  }

  byToken(token: string): SimulatedSession | undefined {
    const interviewId = this.tokens.sessionOf(token);
    return interviewId === undefined ? undefined : this.sessions.get(interviewId);
  }

  /** Sets the status and sends the webhook, also if the status is the same. */
  setStatus(session: SimulatedSession, onboardingStatus: string): void {
    const { statusLagMs } = this.behavior;
    const before = this.reportedStatus(session);
    if (statusLagMs > 0) session.laggingStatus = { onboardingStatus: before, until: this.clock.now() + statusLagMs };
    session.onboardingStatus = onboardingStatus;
    if (onboardingStatus === 'POST_PROCESSING_FINISHED') {
      session.processedAt = Math.min(session.processedAt ?? NEVER, this.clock.now());
    }
    const verdict = onboardingStatus.match(/^MANUAL_REVIEW_(APPROVED|REJECTED)$/)?.[1] as
      | SimulatedSession['verdict']
      | undefined;
    if (verdict && session.closedAt === null) session.verdict = verdict;
    this.listener.onChange();
    this.listener.onStatus(session);
    if (verdict) this.listener.onEvent(session, verdict === 'APPROVED' ? 'SESSION_SUCCEEDED' : 'SESSION_FAILED');
  }

  /** @returns the status as a read reports it */
  reportedStatus({ onboardingStatus, laggingStatus }: SimulatedSession): string {
    return laggingStatus && this.clock.now() < laggingStatus.until ? laggingStatus.onboardingStatus : onboardingStatus;
  }

  /** Sets the status unless the session has a later milestone. */
  advance(session: SimulatedSession, milestone: string): void {
    if (isForward(session.onboardingStatus, milestone)) this.setStatus(session, milestone);
  }

  readonly now = () => this.clock.now();

  /** Makes the score ready as soon as the session is finished, and now if it is already. */
  setScoreReady(session: SimulatedSession): void {
    session.spec = { ...session.spec, scoreReadyAfterMs: 0 };
    this.listener.onChange();
  }

  /** Tells that a session has changed in a way that only the data file needs to know. */
  changed(): void {
    this.listener.onChange();
  }

  /** Starts the asynchronous processing of the ID. */
  process(session: SimulatedSession, ms: number): void {
    session.processedAt = this.clock.now() + ms;
    this.listener.onChange();
    this.awaitProcessing(session);
  }

  /** Applies the effects of finish-status: rules, score, status, webhooks and later a person's verdict. */
  finish(session: SimulatedSession): void {
    const now = this.clock.now();
    session.effects.finished += 1;
    // A closed session keeps its score.
    if (session.closedAt === null) session.finishedAt = now;
    const { manualReview } = session.spec;
    if (manualReview) session.verdictAt = now + manualReview.afterMs;
    this.setStatus(session, 'ONBOARDING_FINISHED');
    const event = eventOfFinish(session);
    if (event) this.listener.onEvent(session, event);
    this.awaitVerdict(session);
  }

  /** Freezes the score. A score that is being calculated still arrives. */
  close(session: SimulatedSession): void {
    session.effects.closed += 1;
    session.closedAt ??= this.clock.now();
    this.listener.onChange();
  }

  approve(session: SimulatedSession): void {
    session.effects.approved += 1;
    this.listener.onChange();
    if (session.effects.approved === 1) this.listener.onEvent(session, 'IDENTITY_ENROLLED');
  }

  /** Removes the session. Nothing that is due happens to it any more. */
  delete(session: SimulatedSession): void {
    this.sessions.delete(session.interviewId);
    this.tokens.revoke(session.interviewId);
    session.onboardingStatus = 'DELETED';
    session.verdictAt = null;
    this.listener.onChange();
  }

  isProcessed(session: SimulatedSession): boolean {
    return isProcessed(session, this.clock.now());
  }

  scoreOf(session: SimulatedSession): Score {
    return scoreOf(session, this.clock.now(), this.behavior.scoreLagMs);
  }

  view(interviewId: string): SessionView {
    const session = this.get(interviewId);
    return viewOf(session, this.scoreOf(session));
  }

  toJSON(): SavedSessions {
    return { sessions: [...this.sessions.values()], tokens: this.tokens.toJSON() };
  }

  /** Continues the sessions of another simulator. Everything that fell due meanwhile happens now. */
  restore({ sessions, tokens }: SavedSessions): void {
    this.tokens.restore(tokens);
    for (const session of sessions) {
      // Files of older versions lack it.
      session.capture ??= newCaptureRecord();
      this.sessions.set(session.interviewId, session);
      this.awaitProcessing(session);
      this.awaitExpiry(session);
      this.awaitVerdict(session);
    }
  }

  private later(ms: number | null): number {
    return Math.min(this.clock.now() + (ms ?? NEVER), NEVER);
  }

  private awaitProcessing(session: SimulatedSession): void {
    const { processedAt } = session;
    if (processedAt === null) return;
    this.clock.at(processedAt, () => {
      // Skipped if processing was started again meanwhile.
      if (session.processedAt === processedAt) this.advance(session, 'POST_PROCESSING_FINISHED');
    });
  }

  private awaitExpiry(session: SimulatedSession): void {
    // Files of older versions lack `expiresAt`.
    this.clock.at(session.expiresAt ?? NEVER, () => {
      if (canExpire(session)) this.setStatus(session, 'EXPIRED');
    });
  }

  private awaitVerdict(session: SimulatedSession): void {
    const { verdictAt } = session;
    if (verdictAt === null) return;
    this.clock.at(verdictAt, () => {
      // Skipped if the session was finished again meanwhile.
      if (session.verdictAt !== verdictAt) return;
      session.verdictAt = null;
      this.setStatus(session, `MANUAL_REVIEW_${session.spec.manualReview?.verdict}`);
    });
  }
}
