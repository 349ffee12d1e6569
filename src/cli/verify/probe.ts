import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../../incode/exchange.js';
import { factsOf } from '../../incode/facts.js';
import { headersOf, type RequiredHeader } from '../../incode/headers.js';
import { CLIENT_DEFAULTS, checkOptions, type IncodeClientOptions } from '../../incode/options.js';
import { createDispatcher } from '../../network/dispatcher.js';
import { type Reply, replyOf } from './reply.js';

export interface ProbeRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  token?: string;
  body?: unknown;
  /** Replaces the configured key. */
  apiKey?: string;
  /** The header to leave out. */
  without?: RequiredHeader;
  signal?: AbortSignal;
}

export interface Probe {
  /**
   * Sends one request without retries.
   *
   * @throws NoReply without an answer, or for one that says nothing about the request, such as 429
   */
  ask(request: ProbeRequest): Promise<Reply>;
  /** Sends one request without a pause, and returns every answer, including 429 and 503. */
  askAtOnce(request: ProbeRequest): Promise<Reply>;
  close(): Promise<void>;
}

/** Why an assumption could not be tried. The table shows its message. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  /** Whether Incode may still act on the request. */
  readonly mayTakeEffect: boolean;

  constructor(message: string, mayTakeEffect = false) {
    super(message);
    this.mayTakeEffect = mayTakeEffect;
  }
}

type ProbeOptions = Pick<
  IncodeClientOptions,
  'baseUrl' | 'allowPlainHttp' | 'timeoutMs' | 'finishTimeoutMs' | 'proxy'
> & {
  apiKey: () => string;
};

/** At most 20 requests per second, a fifth of Incode's reported rate limit. */
const PAUSE_MS = 50;

/** Answers that mean that Incode did not process the request. */
const NOT_TAKEN = [408, 425, 429, 503];

/** Sends requests as the package's client does and returns raw answers. */
export function createProbe(probeOptions: ProbeOptions): Probe {
  const options = checkOptions({ ...CLIENT_DEFAULTS, ...probeOptions });
  const dispatcher = createDispatcher(options);
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/+$/, '');

  async function askAtOnce(request: ProbeRequest): Promise<Reply> {
    const { method, path, query, token, body, apiKey = probeOptions.apiKey(), without, signal } = request;
    const headers = headersOf(apiKey, token);
    if (without) delete headers[without];
    const begunAt = performance.now();
    const outcome = await exchange(
      dispatcher,
      {
        origin,
        path: `${prefix}${path}${query ? `?${new URLSearchParams(query)}` : ''}`,
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        idempotent: false,
      },
      { timeoutMs: path === FINISH_PATH ? options.finishTimeoutMs : options.timeoutMs, signal },
    );
    if (outcome.ended === 'interrupted') {
      throw new NoReply(`Incode ${factsOf(outcome, Date.now()).what}`, outcome.phase !== 'unsent');
    }
    return replyOf(outcome, performance.now() - begunAt);
  }

  return {
    askAtOnce,
    async ask(request) {
      await sleep(PAUSE_MS);
      const reply = await askAtOnce(request);
      if (NOT_TAKEN.includes(reply.status)) throw new NoReply(`Incode answered ${reply.status}`);
      return reply;
    },
    close: () => dispatcher.close(),
  };
}

export const FINISH_PATH = '/omni/finish-status';
