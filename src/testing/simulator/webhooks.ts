import { omitUndefined } from '../../contract/omit-undefined.js';
import { type SimulatorBehavior, spelled } from './behavior.js';
import { addBounded } from './bounded-list.js';
import type { Clock } from './clock.js';
import { identityOf, type SimulatedSession } from './session.js';
import type { Delivery, SessionEvent, SessionWebhookTarget, WebhookTarget } from './types.js';

/** Incode's retry schedule. After the last retry a delivery is lost. */
const RETRY_AFTER_MS = [30_000, 75_000, 187_500, 468_750, 1_171_900];

/** Timeout for a receiver's answer, in real time because the receiver has no other. Incode does not document how long it waits. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Concurrent deliveries to a receiver. At the end of a batch there are thousands, which would otherwise time out. */
const MAX_CONCURRENT_DELIVERIES = 50;

const NO_ANSWER = { httpStatus: null, accepted: false };

type Subject = Pick<Delivery, 'webhook' | 'interviewId' | 'onboardingStatus' | 'event'>;

/** Sends one type of webhook to one URL, at least once and in any order. */
class Webhook<Target extends WebhookTarget> {
  protected target: Target | null = null;
  private bearer: { token: string; expiresAt: number } | undefined;
  private readonly clock: Clock;
  private readonly timeScale: number;
  private readonly deliveries: Delivery[];
  private readonly behavior: SimulatorBehavior;
  private readonly stopped = new AbortController();
  private inFlight = 0;
  private readonly queue: (() => void)[] = [];

  constructor(clock: Clock, timeScale: number, deliveries: Delivery[], behavior: SimulatorBehavior) {
    this.clock = clock;
    this.timeScale = timeScale;
    this.deliveries = deliveries;
    this.behavior = behavior;
  }

  setTarget(target: Target | null): void {
    this.target = target;
    this.bearer = undefined;
  }

  stop(): void {
    this.stopped.abort();
  }

  protected start(fields: Record<string, unknown>, { onboardingStatus: status, ...rest }: Subject): void {
    const onboardingStatus = spelled(status, this.behavior);
    const body = JSON.stringify({ ...fields, onboardingStatus });
    if (this.target) this.clock.track(this.deliver(body, { ...rest, onboardingStatus }, 1));
  }

  private async deliver(body: string, subject: Subject, attempt: number): Promise<void> {
    if (this.inFlight >= MAX_CONCURRENT_DELIVERIES) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.inFlight += 1;
    try {
      await this.attempt(body, subject, attempt);
    } finally {
      // The next waiting delivery takes this one's place.
      const next = this.queue.shift();
      if (next) next();
      else this.inFlight -= 1;
    }
  }

  private async attempt(body: string, subject: Subject, attempt: number): Promise<void> {
    if (this.stopped.signal.aborted || !this.target) return;
    const at = this.clock.now();
    const { httpStatus, accepted } = await this.post(this.target, body).catch(() => NO_ANSWER);
    if (this.stopped.signal.aborted) return;
    const wait = RETRY_AFTER_MS[attempt - 1];
    const lost = !accepted && wait === undefined;
    addBounded(this.deliveries, { at, ...subject, attempt, httpStatus, accepted, lost });
    if (accepted || wait === undefined) return;
    this.clock.at(this.clock.now() + wait * this.timeScale, () => this.deliver(body, subject, attempt + 1));
  }

  private async post(target: WebhookTarget, body: string): Promise<Pick<Delivery, 'httpStatus' | 'accepted'>> {
    const authorization = target.oauth ? { authorization: `Bearer ${await this.bearerToken(target.oauth)}` } : {};
    const response = await fetch(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...target.headers, ...authorization },
      body,
      redirect: 'manual',
      signal: this.limit(),
    });
    await response.arrayBuffer();
    const { status } = response;
    // The receiver may have withdrawn the token, so the next attempt gets another one.
    if (status === 401) this.bearer = undefined;
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { httpStatus: status, accepted: status === 204 || (status === 200 && isJson) };
  }

  private async bearerToken({
    tokenUrl,
    clientId,
    clientSecret,
  }: NonNullable<WebhookTarget['oauth']>): Promise<string> {
    if (this.bearer && this.bearer.expiresAt > this.clock.now()) return this.bearer.token;
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      },
      body: 'grant_type=client_credentials',
      signal: this.limit(),
    });
    const { access_token, expires_in } = (await response.json()) as { access_token?: unknown; expires_in?: unknown };
    if (!response.ok || typeof access_token !== 'string') throw new Error('The token endpoint gave no token');
    // A token without `expires_in` is used once.
    this.bearer = { token: access_token, expiresAt: this.clock.now() + Number(expires_in ?? 0) * 1_000 };
    return access_token;
  }

  private limit(): AbortSignal {
    return AbortSignal.any([this.stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  }
}

export class StatusWebhook extends Webhook<WebhookTarget> {
  send({ interviewId, onboardingStatus, flowId, externalCustomerId }: SimulatedSession): void {
    const body = {
      interviewId,
      onboardingStatus,
      clientId: 'simulator',
      ...omitUndefined({ flowId: flowId ?? undefined, externalId: externalCustomerId ?? undefined }),
    };
    this.start(body, { webhook: 'status', interviewId, onboardingStatus, event: null });
  }
}

/** Events before the end of a session. For all others, Incode's own code expects the status ONBOARDING_FINISHED. */
const BEFORE_THE_END: readonly SessionEvent[] = ['SESSION_STARTED', 'SESSION_PROGRESS'];

export class SessionWebhook extends Webhook<SessionWebhookTarget> {
  send(session: SimulatedSession, event: SessionEvent): void {
    const { eventField = 'event_type', eventNames = 'constants' } = this.target ?? {};
    const { interviewId, externalCustomerId } = session;
    const onboardingStatus = BEFORE_THE_END.includes(event) ? session.onboardingStatus : 'ONBOARDING_FINISHED';
    const hasIdentity = event === 'SESSION_SUCCEEDED' || event === 'IDENTITY_ENROLLED';
    const body = {
      [eventField]: eventNames === 'words' ? inWords(event) : event,
      interviewId,
      onboardingStatus,
      ...omitUndefined({
        externalCustomerId: externalCustomerId ?? undefined,
        identityId: hasIdentity ? identityOf(session) : undefined,
      }),
    };
    this.start(body, { webhook: 'session', interviewId, onboardingStatus, event });
  }
}

/** Turns SESSION_PENDING_REVIEW into "Session Pending Review". */
function inWords(event: SessionEvent): string {
  return event.toLowerCase().replace(/(^|_)(.)/g, (_, gap, letter) => (gap && ' ') + letter.toUpperCase());
}
