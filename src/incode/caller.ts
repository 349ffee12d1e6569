import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { omitUndefined } from '../contract/omit-undefined.js';
import { createDispatcher } from '../network/dispatcher.js';
import { apiKeyOf } from './api-key.js';
import { classify } from './classification.js';
import { IncodeError, type IncodeOperation } from './errors.js';
import { type Exchange, exchange } from './exchange.js';
import { factsOf } from './facts.js';
import { headersOf } from './headers.js';
import { type ConnectionOptions, isSendable } from './options.js';
import { report } from './report.js';
import { type ErrorAnswer, errorAnswer, type Fields, readObject } from './responses.js';

export interface CallOptions {
  /** Cancels the call. A request that was already sent may still take effect. */
  signal?: AbortSignal;
  /**
   * Called right before the first byte is written, after any wait for a connection. If it returns `false`, nothing is sent and the call
   * fails with `notTaken`.
   *
   * @default always sends
   */
  mayStillSend?: () => boolean;
}

/** Short, but long enough that a key that changes constantly causes no busy loop. */
const RETRY_WITH_NEW_KEY_MS = 1_000;

/** One call of Incode's API. */
export interface Call<T> {
  operation: IncodeOperation;
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  /** Present, even as `undefined`, if the call needs a token. */
  sessionToken?: string;
  /** JSON. */
  body?: unknown;
  /** A body that is encoded while it is sent. */
  stream?: StreamedBody;
  /** Timeout from the call to the last byte, in milliseconds. @default `timeoutMs` of the options */
  timeoutMs?: number;
  /** @returns `undefined` if the answer does not say what happened */
  read: (fields: Fields) => T | undefined;
  /** The successful answer as an object. @default {@link readObject} */
  parse?: (body: string) => Fields | undefined;
  /** Reads an error answer that is a result of this call. @returns `undefined` for an ordinary error */
  readError?: (answer: ErrorAnswer) => T | undefined;
}

export interface StreamedBody {
  chunks: Iterable<string>;
  bytes: number;
}

export interface Caller {
  /** @throws IncodeError and nothing else */
  run<T>(call: Call<T>, options?: CallOptions): Promise<T>;
  /** Waits for calls in flight, then closes the connections. */
  close(): Promise<void>;
}

/** Makes one HTTP attempt for each call, over its own connections. */
export function createCaller(options: ConnectionOptions): Caller {
  const { timeoutMs, now, onCall } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(options);
  const apiKey = apiKeyOf(options.apiKey);
  let closing: Promise<void> | undefined;

  async function run<T>(call: Call<T>, { signal, mayStillSend }: CallOptions = {}): Promise<T> {
    const { operation } = call;
    // A missing token is refused too: without the header Incode could not tell which session is meant.
    if ('sessionToken' in call && !isSendable(call.sessionToken)) {
      throw new IncodeError({
        kind: 'tokenRefused',
        operation,
        what: 'was not asked: the token does not fit in a header',
      });
    }
    const key = apiKey.current();
    if (key === undefined) {
      throw new IncodeError({
        kind: 'apiKeyRefused',
        operation,
        what: 'was not asked: there is no API key that fits in a header',
      });
    }
    const startedAt = onCall && performance.now();
    const outcome = await exchange(dispatcher, requestOf(call, key), {
      timeoutMs: call.timeoutMs ?? timeoutMs,
      signal,
      mayStillSend,
    });
    const answer = answerOf(call, key, outcome);
    if (startedAt !== undefined) report(onCall, operation, answer, outcome.status, performance.now() - startedAt);
    if (answer instanceof IncodeError) throw answer;
    return answer;
  }

  function answerOf<T>(call: Call<T>, key: string, outcome: Exchange): T | IncodeError {
    const { operation } = call;
    const kind = classify(outcome);
    if (kind === undefined && outcome.ended === 'answered') {
      const fields = (call.parse ?? readObject)(outcome.body);
      const answer = fields && call.read(fields);
      if (answer !== undefined) return answer;
    }
    const known = outcome.ended === 'answered' ? call.readError?.(errorAnswer(outcome, kind)) : undefined;
    if (known !== undefined) return known;
    const facts = factsOf(outcome, now());
    if (kind === 'apiKeyRefused' && apiKey.isReplaced(key)) {
      const what = `answered ${outcome.status} to an API key that has been replaced since`;
      // After a long wait for the operator, the caller's backoff would be minutes.
      const retryAfterMs = RETRY_WITH_NEW_KEY_MS;
      return new IncodeError({ ...facts, kind: 'notTaken', operation, what, retryAfterMs });
    }
    if (kind !== undefined) return new IncodeError({ kind, operation, ...facts });
    const what = 'answered with a body that is not an answer to this call';
    return new IncodeError({ ...facts, kind: 'resultUnknown', operation, what });
  }

  function requestOf(call: Call<unknown>, key: string): Dispatcher.DispatchOptions {
    const { method, path, query, sessionToken, body, stream } = call;
    return {
      origin,
      path: `${prefix}${path}${query ? `?${new URLSearchParams(query)}` : ''}`,
      method,
      headers: { ...headersOf(key, sessionToken), ...(stream ? { 'content-length': String(stream.bytes) } : {}) },
      ...omitUndefined({ body: stream ? Readable.from(stream.chunks) : textOf(body) }),
      // Otherwise undici treats a GET as idempotent and may send it again after a lost connection. `pipelining: 1` prevents that
      // today; this line does not depend on it.
      idempotent: false,
    };
  }

  return {
    run,
    close: () => {
      // undici throws on a second close, but several owners may share a client.
      closing ??= dispatcher.close();
      return closing;
    },
  };
}

function textOf(body: unknown): string | undefined {
  return body === undefined ? undefined : JSON.stringify(body);
}
