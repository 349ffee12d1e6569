import type { Session } from './sessions.js';
import type { Delivery, WebhookTarget } from './types.js';

/** Incode's schedule, in milliseconds; after the last one a delivery is lost. */
const RETRY_AFTER_MS = [30_000, 75_000, 187_500, 468_750, 1_171_900];

/** A receiver that takes longer has not received it. Incode does not say how long it waits. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Sends the status webhook, at least once, without any promise of order. */
export class Webhooks {
  readonly deliveries: Delivery[] = [];
  private target: WebhookTarget | undefined;
  private bearer: { token: string; expiresAt: number } | undefined;
  private readonly timeScale: number;
  private readonly stopped = new AbortController();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(target: WebhookTarget | undefined, timeScale: number) {
    this.target = target;
    this.timeScale = timeScale;
  }

  setTarget(target: WebhookTarget | undefined): void {
    this.target = target;
    this.bearer = undefined;
  }

  send({ interviewId, onboardingStatus, flowId, externalCustomerId }: Session): void {
    if (!this.target) return;
    const body = { interviewId, onboardingStatus, clientId: 'simulator', flowId, externalId: externalCustomerId };
    void this.deliver(JSON.stringify(body), { interviewId, onboardingStatus }, 1);
  }

  stop(): void {
    this.stopped.abort();
    for (const timer of this.timers) clearTimeout(timer);
  }

  private async deliver(body: string, what: Pick<Delivery, 'interviewId' | 'onboardingStatus'>, attempt: number) {
    if (this.stopped.signal.aborted || !this.target) return;
    const at = Date.now();
    const httpStatus = await this.post(this.target, body).catch(() => null);
    this.deliveries.push({ at, ...what, attempt, httpStatus });
    if (httpStatus === 200 || httpStatus === 204) return;
    const wait = RETRY_AFTER_MS[attempt - 1];
    if (wait === undefined) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void this.deliver(body, what, attempt + 1);
    }, wait * this.timeScale);
    this.timers.add(timer);
  }

  /** @returns the status that counts: a 200 without JSON is none of the answers that Incode takes */
  private async post(target: WebhookTarget, body: string): Promise<number> {
    const authorization = target.oauth ? { authorization: `Bearer ${await this.bearerToken(target.oauth)}` } : {};
    const response = await fetch(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...target.headers, ...authorization },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([this.stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    await response.arrayBuffer();
    // Refused: the token may have been withdrawn, so the next attempt fetches another.
    if (response.status === 401) this.bearer = undefined;
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return response.status === 200 && !isJson ? 406 : response.status;
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
      signal: AbortSignal.any([this.stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    const { access_token, expires_in } = (await response.json()) as { access_token: string; expires_in: number };
    this.bearer = { token: access_token, expiresAt: Date.now() + expires_in * 1_000 };
    return access_token;
  }
}
