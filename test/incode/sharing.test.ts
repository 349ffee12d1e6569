import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createIncodeClient, type IncodeClientOptions } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { API_KEY, clientOf, failureOf, serveRaw, session } from './support.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a signal of many calls', () => {
  it('cancels all of them, keeps no listener, and warns of no leak', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.name);
    process.on('warning', onWarning);
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const batch = new AbortController();
    const client = clientOf(server.url);
    const all = () => Array.from({ length: 20 }, () => client.finishStatus(session, { signal: batch.signal }));
    await Promise.all(all());
    expect(getEventListeners(batch.signal, 'abort')).toHaveLength(0);
    const cancelled = all().map(failureOf);
    batch.abort();
    expect(new Set((await Promise.all(cancelled)).map(({ kind }) => kind))).toEqual(new Set(['notTaken']));
    expect(getEventListeners(batch.signal, 'abort')).toHaveLength(0);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});

describe('close', () => {
  it('waits for the calls under way, may be repeated, and lets nothing be sent afterwards', async () => {
    await using server = await serve((_, response) => setImmediate(() => response.end('{"action": "none"}')));
    const client = clientOf(server.url);
    const call = client.finishStatus(session);
    await Promise.all([client.close(), client.close()]);
    await client.close();
    expect((await call).action).toBe('none');
    expect((await failureOf(client.finishStatus(session))).kind).toBe('notTaken');
    expect(server.requests).toHaveLength(1);
  });
});

describe('proxy variables of the environment', () => {
  it('send nothing through a proxy that the options do not name', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'])
      vi.stubEnv(name, 'http://127.0.0.1:1');
    await clientOf(server.url).finishStatus(session);
    expect(server.requests).toHaveLength(1);
  });

  it('take nothing away from the proxy that the options name', async () => {
    await using proxy = await serveRaw((socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    vi.stubEnv('NO_PROXY', '*');
    vi.stubEnv('no_proxy', '*');
    await failureOf(clientOf('http://127.0.0.1:1', { proxy: { httpProxy: proxy.url } }).finishStatus(session));
    expect(proxy.received[0]).toMatch(/^CONNECT 127\.0\.0\.1:1 /);
  });
});

describe('options that would bite later', () => {
  it.each([
    // Node's timers fire at once above 2^31 - 1.
    ['finishTimeoutMs', { finishTimeoutMs: 2_147_483_648 }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['connectTimeoutMs', { connectTimeoutMs: Number.NaN }],
    ['connections', { connections: 0 }],
    ['proxy.httpProxy', { proxy: { httpProxy: 'user:hushhush@proxy:3128' } }],
    ['proxy.httpsProxy', { proxy: { httpsProxy: 'http://user:hushhush@:3128' } }],
    ['proxy.httpsProxy', { proxy: { httpsProxy: 'socks5://proxy.example' } }],
    ['baseUrl', { baseUrl: 'https://incode.example/#hushhush' }],
    ['apiKey', { apiKey: 'hushhush hushhush' }],
  ] satisfies [string, Partial<IncodeClientOptions>][])('%s is refused by its name: %j', (name, wrong) => {
    let error: unknown;
    try {
      createIncodeClient({ baseUrl: 'https://incode.example', apiKey: API_KEY, ...wrong });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(new RegExp(`^${name} must `));
    expect(inspect(error, { showHidden: true })).not.toContain('hushhush');
  });

  it('the longest deadline that timers know is taken', async () => {
    await using server = await serve((_, response) => setImmediate(() => response.end('{"action": "none"}')));
    await clientOf(server.url, { finishTimeoutMs: 2_147_483_647 }).finishStatus(session);
    expect(server.requests).toHaveLength(1);
  });
});
