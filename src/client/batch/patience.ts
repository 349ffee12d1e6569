import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';

/** Long enough for a server that is restarted or moved; then somebody has to look. The SDK's own retries take some 20 s. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 2_000;

/** UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE: the server is away, or too busy. */
const AWAY = new Set([2, 4, 8, 10, 14]);

/** Makes a request to Temporal, again and again while the server is away, until the signal is aborted. */
export async function patiently<T>(client: Client, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  let awaySince: number | undefined;
  for (;;) {
    try {
      return await withSignal(client, signal, request);
    } catch (error) {
      signal.throwIfAborted();
      if (!isAway(error)) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > PATIENCE_MS) throw error;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

/** The SDK never takes its listeners off a signal, and they hold requests and answers of 1 MB, so each request has its own. */
async function withSignal<T>(client: Client, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const own = new AbortController();
  // A wait of hours is many requests.
  setMaxListeners(0, own.signal);
  const abort = () => own.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await client.withAbortSignal(own.signal, request);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** gRPC's error, by itself or wrapped by the SDK. */
function isAway(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) && (AWAY.has(cause.code) || isLostConnection(cause));
}

/** A server that is killed ends its streams as INTERNAL or CANCELLED. Ours were not cancelled: the signal was looked at first. */
function isLostConnection({ code, details }: { code: number; details: string }): boolean {
  return code === 1 || (code === 13 && /RST_STREAM|without gRPC status/.test(details));
}
