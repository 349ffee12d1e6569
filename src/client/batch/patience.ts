import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isAway } from '../temporal-failure.js';

/** Long enough for a server that is restarted or moved; then somebody has to look. The SDK's own retries take some 20 s. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 2_000;

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
