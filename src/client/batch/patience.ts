import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isAway } from '../temporal-failure.js';

/** Long enough for a restart or a move of the server. The SDK's own retries last only about 20 s. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 2_000;

/** Sends a request to Temporal and retries it while the server is unreachable, until the signal is aborted. */
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

/** Gives each request its own signal. The SDK never removes its listeners, and each keeps a request and an answer of 1 MB alive. */
async function withSignal<T>(client: Client, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const own = new AbortController();
  // A wait of hours makes many requests, each with a listener.
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
