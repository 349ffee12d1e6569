import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createIncodeClient, type IncodeClientOptions } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { API_KEY, clientOf, failureOf, serveRaw, session } from '../support/incode.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a signal that many calls share', () => {
  it('cancels all calls, leaves no listener, and causes no leak warning', async () => {
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
  it('waits for calls in flight, can be repeated, and prevents later requests', async () => {
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

describe('proxy variables in the environment', () => {
  it('ignores proxy variables if the options name no proxy', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'])
      vi.stubEnv(name, 'http://127.0.0.1:1');
    await clientOf(server.url).finishStatus(session);
    expect(server.requests).toHaveLength(1);
  });

  it('uses the proxy in the options despite NO_PROXY', async () => {
    await using proxy = await serveRaw((socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    vi.stubEnv('NO_PROXY', '*');
    vi.stubEnv('no_proxy', '*');
    await failureOf(clientOf('http://127.0.0.1:1', { proxy: { httpProxy: proxy.url } }).finishStatus(session));
    expect(proxy.received[0]).toMatch(/^CONNECT 127\.0\.0\.1:1 /);
  });
});

describe('createIncodeClient', () => {
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
  ] satisfies [string, Partial<IncodeClientOptions>][])('refuses an invalid %s and names it: %j', (name, wrong) => {
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

  it('accepts the longest timeout that Node supports', async () => {
    await using server = await serve((_, response) => setImmediate(() => response.end('{"action": "none"}')));
    await clientOf(server.url, { finishTimeoutMs: 2_147_483_647 }).finishStatus(session);
    expect(server.requests).toHaveLength(1);
  });
});
