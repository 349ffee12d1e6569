import { isUtf8 } from 'node:buffer';
import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';

/** How an HTTP request ended. A failure is an ordinary value, so the promise never rejects. */
export type Exchange = Answered | Interrupted;

export interface Answered {
  ended: 'answered';
  status: number;
  retryAfter: string | undefined;
  /** The answer's time by Incode's clock. */
  date?: string | undefined;
  body: string;
}

export interface Interrupted {
  ended: 'interrupted';
  /** `unsent`: no byte was written. `sent`: at least part was written. `answering`: the status line and headers have arrived. */
  phase: 'unsent' | 'sent' | 'answering';
  /** `withheld`: `mayStillSend` returned `false`. */
  reason: 'timeout' | 'cancelled' | 'connection' | 'tooLarge' | 'withheld';
  /** The system's or undici's code, such as ECONNREFUSED. */
  code: string | undefined;
  /** The proxy's status, if it refused to make the connection. */
  proxyStatus: number | undefined;
  /** Known in the phase `answering`. */
  status: number | undefined;
  retryAfter: string | undefined;
}

interface ExchangeOptions {
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Called right before the first byte is written. `false` sends nothing. @default always sends */
  mayStillSend?: (() => boolean) | undefined;
}

/** Incode's answers have a few KB. A larger body is not Incode's, and must not fill the memory. */
export const MAX_BODY_BYTES = 1_048_576;

/**
 * Makes exactly one attempt. Uses undici's `dispatch` instead of `request`, because only `dispatch` reports when a request starts
 * to be written. Until then a retry is harmless; afterwards Incode may have the request.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, signal, mayStillSend }: ExchangeOptions,
): Promise<Exchange> {
  return new Promise((resolve) => {
    let phase: Interrupted['phase'] = 'unsent';
    let status: number | undefined;
    let retryAfter: string | undefined;
    let date: string | undefined;
    let controller: Dispatcher.DispatchController | undefined;
    let settled = false;
    let size = 0;
    const chunks: Buffer[] = [];

    const settle = (outcome: Exchange) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      resolve(outcome);
    };
    const interrupt = (reason: Interrupted['reason'], error?: Error) => {
      settle({
        ended: 'interrupted',
        phase,
        reason,
        code: codeOf(error),
        proxyStatus: proxyStatusOf(error),
        status,
        retryAfter,
      });
      // Destroys the connection, so that the rest of this answer is not read as the next one.
      controller?.abort(new Error(reason));
    };
    const cancel = () => interrupt('cancelled');
    const timer = setTimeout(() => interrupt('timeout'), timeoutMs);
    if (signal?.aborted) return interrupt('cancelled');
    if (signal) {
      // Many calls may share a signal. Each removes its listener, so Node's leak warning would be wrong.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', cancel);
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // The call ended while it waited for a connection. After a throw undici writes nothing and keeps the connection; `abort` would
        // destroy it.
        if (settled) throw new Error('abandoned');
        if (mayStillSend?.() === false) {
          interrupt('withheld');
          throw new Error('withheld');
        }
        controller = started;
        phase = 'sent';
      },
      onResponseStart(_, statusCode, headers) {
        // 1xx is not the final answer.
        if (settled || statusCode < 200) return;
        phase = 'answering';
        status = statusCode;
        retryAfter = single(headers['retry-after']);
        date = single(headers.date);
        if (Number(single(headers['content-length'])) > MAX_BODY_BYTES) interrupt('tooLarge');
      },
      onResponseData(_, chunk) {
        if (settled) return;
        size += chunk.length;
        if (size > MAX_BODY_BYTES) return interrupt('tooLarge');
        chunks.push(chunk);
      },
      onResponseEnd() {
        if (status === undefined) return interrupt('connection');
        const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
        settle({ ended: 'answered', status, retryAfter, date, body: textOf(body) });
      },
      onResponseError(_, error) {
        interrupt('connection', error);
      },
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      interrupt('connection', error as Error);
    }
  });
}

/** A body that is not UTF-8 is not JSON. Decoding it anyway could turn a broken status into an apparently new one. */
function textOf(body: Buffer): string {
  return isUtf8(body) ? body.toString('utf8') : '';
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function codeOf(error: Error | undefined): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : undefined;
}

/** undici reports a proxy's refusal only in its error message. */
function proxyStatusOf(error: Error | undefined): number | undefined {
  const status = /^Proxy response \((\d{3})\)/.exec(error?.message ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}
