import type { Session } from './sessions.js';
import { Timers } from './timers.js';
import type { Delivery, WebhookTarget } from './types.js';

/** Incode's schedule, in milliseconds; after the last one a delivery is lost. */
const RETRY_AFTER_MS = [30_000, 75_000, 187_500, 468_750, 1_171_900];

/** A receiver that takes longer has not received it. Incode does not say how long it waits. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The list is bounded, for simulators that run for days. */
const MAX_DELIVERIES = 200_000;

const NO_ANSWER = { httpStatus: null, accepted: false };

/** Sends the status webhook, at least once, without any promise of order. */
export class Webhooks {
  readonly deliveries: Delivery[] = [];
  private target: WebhookTarget | null;
  private bearer: { token: string; expiresAt: number } | undefined;
  private readonly timeScale: number;
  private readonly stopped = new AbortController();
  private readonly timers = new Timers();

  constructor(target: WebhookTarget | null, timeScale: number) {
    this.target = target;
    this.timeScale = timeScale;
  }

  setTarget(target: WebhookTarget | null): void {
    this.target = target;
    this.bearer = undefined;
  }

  send({ interviewId, onboardingStatus, flowId, externalCustomerId }: Session): void {
    if (!this.target) return;
    const body = {
      interviewId,
      onboardingStatus,
      clientId: 'simulator',
      ...(flowId === null ? {} : { flowId }),
      ...(externalCustomerId === null ? {} : { externalId: externalCustomerId }),
    };
    void this.deliver(JSON.stringify(body), { interviewId, onboardingStatus }, 1);
  }

  stop(): void {
    this.stopped.abort();
    this.timers.stop();
  }

  private async deliver(body: string, what: Pick<Delivery, 'interviewId' | 'onboardingStatus'>, attempt: number) {
    if (this.stopped.signal.aborted || !this.target) return;
    const at = Date.now();
    const { httpStatus, accepted } = await this.post(this.target, body).catch(() => NO_ANSWER);
    if (this.stopped.signal.aborted) return;
    const wait = RETRY_AFTER_MS[attempt - 1];
    this.deliveries.push({ at, ...what, attempt, httpStatus, accepted, lost: !accepted && wait === undefined });
    if (this.deliveries.length > MAX_DELIVERIES) this.deliveries.splice(0, MAX_DELIVERIES / 2);
    if (accepted || wait === undefined) return;
    this.timers.at(Date.now() + wait * this.timeScale, () => void this.deliver(body, what, attempt + 1));
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
    // The token may have been withdrawn, so the next attempt fetches another.
    if (status === 401) this.bearer = undefined;
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { httpStatus: status, accepted: status === 204 || (status === 200 && isJson) };
  }

  private async bearerToken({
    tokenUrl,
    clientId,
    clientSecret,
  }: NonNullable<WebhookTarget['oauth']>): Promise<string> {
    if (this.bearer && this.bearer.expiresAt > Date.now()) return this.bearer.token;
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
    if (!response.ok || typeof access_token !== 'string') throw new Error('No token was given');
    // Without `expires_in` it is used once.
    this.bearer = { token: access_token, expiresAt: Date.now() + Number(expires_in ?? 0) * 1_000 };
    return access_token;
  }

  private limit(): AbortSignal {
    return AbortSignal.any([this.stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  }
}
