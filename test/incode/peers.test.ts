import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { serve } from '../support/http.js';
import { clientOf, failureOf, serveRaw, session } from '../support/incode.js';

const HTTP_OK = 'HTTP/1.1 200 OK\r\ncontent-length: ';
const ok = (body: string) => `${HTTP_OK}${body.length}\r\n\r\n${body}`;
const requestsIn = (texts: string[]) => texts.join('').split('GET /omni/').length - 1;

describe('connections', () => {
  it('opens a new connection if the server closed an idle one', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const client = clientOf(server.url, { connections: 1 });
    await client.finishStatus(session);
    const closed = once(server.requests[0]?.socket as Socket, 'close');
    server.server.closeIdleConnections();
    await closed;
    // Lets the client notice. A request that crosses the closing would correctly be `maybeRunning`.
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    await client.finishStatus(session);
    expect(server.requests).toHaveLength(2);
  });

  it('does not retry after a reset that comes after the request was read', async () => {
    await using server = await serveRaw((socket) => socket.resetAndDestroy());
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error.kind).toBe('maybeRunning');
    expect(error.message).toContain('closed the connection without an answer');
    expect(requestsIn(server.received)).toBe(1);
  });

  it('retries neither call when a connection is lost while a second call waits for it', async () => {
    await using server = await serveRaw((socket, text) => {
      // If pipelining were on, undici would send the second request once the first answer has begun.
      if (text.includes('first')) socket.write(`${HTTP_OK}100\r\n\r\n{`);
      setTimeout(() => socket.destroy(), 20);
    });
    const client = clientOf(server.url, { connections: 1 });
    const calls = ['first', 'second'].map((flowId) => failureOf(client.finishStatus({ ...session, flowId })));
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(['resultUnknown', 'maybeRunning']);
    expect(server.received.map((text) => text.match(/flowId=\w+/g))).toEqual([['flowId=first'], ['flowId=second']]);
  });

  it('does not reuse a connection with a stray second answer', async () => {
    await using server = await serveRaw((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(ok('{"action": "approved"}') + ok('{"action": "ofAnotherSession"}'));
    });
    const client = clientOf(server.url, { connections: 1 });
    expect((await client.finishStatus(session)).action).toBe('approved');
    expect((await client.finishStatus(session)).action).toBe('approved');
    expect(server.sockets).toHaveLength(2);
  });

  it('never gives the late answer of a cancelled call to the next call', async () => {
    const cancelled = new AbortController();
    await using server = await serveRaw((socket) => {
      if (server.sockets.length > 1) return socket.write(ok('{"action": "second"}'));
      cancelled.abort();
      return socket.write(ok('{"action": "first"}'));
    });
    const client = clientOf(server.url, { connections: 1 });
    const error = await failureOf(client.finishStatus(session, { signal: cancelled.signal }));
    expect(error.kind).toBe('maybeRunning');
    expect((await client.finishStatus(session)).action).toBe('second');
  });

  it('keeps a connection if a call stops waiting for it', async () => {
    const cancelled = new AbortController();
    await using server = await serve((_, response) => {
      cancelled.abort();
      response.end('{"action": "none"}');
    });
    const client = clientOf(server.url, { connections: 1 });
    const first = client.finishStatus(session);
    const second = failureOf(client.finishStatus(session, { signal: cancelled.signal }));
    await Promise.all([first, second]);
    await client.finishStatus(session);
    expect(server.requests).toHaveLength(2);
    expect(new Set(server.requests.map((request) => request.socket.remotePort)).size).toBe(1);
  });
});

describe('answers', () => {
  it('reads an answer after early hints', async () => {
    await using server = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok('{"action": "none"}')}`);
    });
    expect((await clientOf(server.url).finishStatus(session)).action).toBe('none');
  });

  it('reports an answer with only an informational status as maybeRunning', async () => {
    await using server = await serveRaw((socket) => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'));
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'maybeRunning', httpStatus: undefined });
    expect(error.message).toContain('closed the connection without an answer');
  });

  it('refuses a content-length of 5 MiB without reading the body', async () => {
    await using server = await serveRaw((socket) => socket.write(`${HTTP_OK}5242880\r\n\r\n`));
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'resultUnknown', httpStatus: 200 });
    expect(error.message).toContain('answered 200 with more than 1 MiB');
  });

  it.each([
    ['that is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['with an unexpected 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['with an unexpected 101', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
    ['with endless headers', `HTTP/1.1 200 OK\r\n${'x-filler: 0123456789\r\n'.repeat(10_000)}`],
  ])('reports an answer %s as maybeRunning', async (_, answer) => {
    await using server = await serveRaw((socket) => socket.write(answer));
    expect((await failureOf(clientOf(server.url).finishStatus(session))).kind).toBe('maybeRunning');
    expect(requestsIn(server.received)).toBe(1);
  });

  it('reads Retry-After even if the body is missing', async () => {
    await using server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 100\r\n\r\n{');
      socket.end();
    });
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'notTaken', httpStatus: 429, retryAfterMs: 7_000 });
    expect(error.message).toContain('answered 429, but closed the connection before the end');
  });

  it('reports a 200 with an error body as resultUnknown', async () => {
    await using server = await serve((_, response) => response.end('{"status": 5003, "message": "about Jane Doe"}'));
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'resultUnknown', httpStatus: 200, code: 5_003 });
    expect(error.message).not.toContain('Jane Doe');
  });
});

describe('proxies', () => {
  it.each([
    ['closes the connection', (socket: { end(): unknown }) => socket.end()],
    ['resets the connection', (socket: { resetAndDestroy(): unknown }) => socket.resetAndDestroy()],
  ])('connects once to a proxy that %s on CONNECT', async (_, drop) => {
    await using proxy = await serveRaw((socket) => drop(socket));
    const client = clientOf('http://incode.example', { allowPlainHttp: true, proxy: { httpProxy: proxy.url } });
    expect((await failureOf(client.finishStatus(session))).kind).toBe('notTaken');
    // Time for undici to connect again, if it did.
    for (let turn = 0; turn < 50; turn += 1) await setImmediate();
    expect(proxy.sockets).toHaveLength(1);
  });

  it('times out after connectTimeoutMs if a proxy never answers CONNECT', async () => {
    await using proxy = await serveRaw(() => undefined);
    const client = clientOf('http://incode.example', {
      allowPlainHttp: true,
      connectTimeoutMs: 50,
      proxy: { httpProxy: proxy.url },
    });
    const error = await failureOf(client.finishStatus(session));
    expect(error.kind).toBe('notTaken');
    expect(error.message).toContain('could not be reached (UND_ERR_HEADERS_TIMEOUT)');
  });

  it.each(['httpProxy', 'httpsProxy'] as const)('uses the proxy in %s for an https host', async (name) => {
    await using proxy = await serveRaw((socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const client = clientOf('https://incode.example', { proxy: { [name]: proxy.url } });
    expect((await failureOf(client.finishStatus(session))).kind).toBe('misconfigured');
    expect(proxy.received[0]).toMatch(/^CONNECT incode\.example:443 /);
  });
});
