import { isUtf8 } from 'node:buffer';
import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';

/** An HTTP request, and what ended it. A promise of this never rejects: every failure is an ordinary value. */
export type Exchange = Answered | Interrupted;

export interface Answered {
  ended: 'answered';
  status: number;
  retryAfter: string | undefined;
  /** When, by Incode's clock. */
  date?: string | undefined;
  body: string;
}

export interface Interrupted {
  ended: 'interrupted';
  /** `unsent`: not one byte was written. `sent`: written, at least in part. `answering`: the answer's head has arrived. */
  phase: 'unsent' | 'sent' | 'answering';
  /** `withheld`: whoever asked for it may not send it any more. */
  reason: 'timeout' | 'cancelled' | 'connection' | 'tooLarge' | 'withheld';
  /** The system's or undici's code, such as ECONNREFUSED. */
  code: string | undefined;
  /** The proxy's status, if it refused to make the connection. */
  proxyStatus: number | undefined;
  /** From the answer's head, in the phase `answering`. */
  status: number | undefined;
  retryAfter: string | undefined;
}

export interface ExchangeOptions {
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Asked when the first byte is about to be written. `false` writes nothing. @default always */
  mayStillSend?: (() => boolean) | undefined;
}

/** Incode's answers have a few KB. What is larger is no answer of Incode, and must not fill the memory. */
export const MAX_BODY_BYTES = 1_048_576;

/**
 * Makes exactly one attempt. Works on undici's dispatch instead of `request`, because only there is told when a request
 * begins to be written: before, repeating it is harmless; after, Incode may have it.
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
      // Destroys the connection, so that the rest of the answer cannot be taken for the next one.
      controller?.abort(new Error(reason));
    };
    const cancel = () => interrupt('cancelled');
    const timer = setTimeout(() => interrupt('timeout'), timeoutMs);
    if (signal?.aborted) return interrupt('cancelled');
    if (signal) {
      // Many calls may share a signal. It is no leak, as Node would warn: each listener goes with its call.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', cancel);
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // It waited for a free connection until nobody wanted it any more. After a throw undici writes nothing, and keeps
        // the connection, which `abort` would destroy.
        if (settled) throw new Error('abandoned');
        if (mayStillSend?.() === false) {
          interrupt('withheld');
          throw new Error('withheld');
        }
        controller = started;
        phase = 'sent';
      },
      onResponseStart(_, statusCode, headers) {
        // 1xx only announces the answer.
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

/** What is not UTF-8 is not JSON: read all the same, a spoilt status would pass for one that is new to us. */
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

/** undici tells a proxy's refusal in a message only. */
function proxyStatusOf(error: Error | undefined): number | undefined {
  const status = /^Proxy response \((\d{3})\)/.exec(error?.message ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}
