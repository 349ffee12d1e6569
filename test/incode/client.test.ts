import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createIncodeClient, type IncodeClient } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { API_KEY, clientOf, failureOf, session, TOKEN } from '../support/incode.js';

describe('requests', () => {
  it.each([
    ['finishStatus', (client: IncodeClient) => client.finishStatus(session), 'GET /omni/finish-status'],
    [
      'finishStatus with a flow',
      (client: IncodeClient) => client.finishStatus({ ...session, flowId: 'a b&c' }),
      'GET /omni/finish-status?flowId=a+b%26c',
    ],
    [
      'onboardingStatus',
      (client: IncodeClient) => client.onboardingStatus(session),
      'GET /omni/get/onboarding/status?id=interview%2F1',
    ],

    ['score', (client: IncodeClient) => client.score(session), 'GET /omni/get/score?id=interview%2F1'],
    [
      'closeSession',
      (client: IncodeClient) => client.closeSession(session),
      'POST /omni/session/status/set?action=Closed',
    ],
  ])('%s sends all four required headers', async (_, call, line) => {
    await using server = await serve((request, response) => {
      const answers = { action: 'none', onboardingStatus: 'X', sessionStatus: 'Closed' };
      response.end(JSON.stringify({ ...answers, seen: request.url }));
    });
    await call(clientOf(`${server.url}/`));
    const [request] = server.requests;
    expect(`${request?.method} ${request?.url}`).toBe(line);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'api-version': '1.0',
      'x-api-key': API_KEY,
      'x-incode-hardware-id': TOKEN,
    });
  });

  it('start sends no token, and fills in the fields that Incode requires', async () => {
    let body = '';
    await using server = await serve((request, response) => {
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => response.end('{"token": "t", "interviewId": "i", "existingSession": true}'));
    });
    const answer = await clientOf(server.url).start({ configurationId: 'c', interviewId: 'i' });
    expect(answer).toEqual({ token: 't', interviewId: 'i', existingSession: true });
    expect(JSON.parse(body)).toEqual({ configurationId: 'c', interviewId: 'i', countryCode: 'ALL', language: 'en-US' });
    expect(server.requests[0]?.headers['x-incode-hardware-id']).toBeUndefined();
  });

  it('keeps the path of the base URL', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    await clientOf(`${server.url}/gateway/`).finishStatus(session);
    expect(server.requests[0]?.url).toBe('/gateway/omni/finish-status');
  });
});

describe('mayStillSend', () => {
  it('sends nothing if mayStillSend returns false before the first byte', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const client = clientOf(server.url, { connections: 1 });
    await client.finishStatus(session);
    const error = await failureOf(client.finishStatus(session, { mayStillSend: () => false }));
    expect(error).toMatchObject({ kind: 'notTaken', message: expect.stringContaining('was not asked') });
    expect(server.requests).toHaveLength(1);
    // The connection is still good.
    await client.finishStatus(session, { mayStillSend: () => true });
    expect(server.requests).toHaveLength(2);
    expect(new Set(server.requests.map(({ socket }) => socket.remotePort)).size).toBe(1);
  });

  it('calls mayStillSend after the wait for a free connection', async () => {
    let answer = () => {};
    await using server = await serve((_, response) => {
      answer = () => response.end('{"action": "none"}');
    });
    const client = clientOf(server.url, { connections: 1 });
    const first = client.finishStatus(session);
    await expect.poll(() => server.requests.length).toBe(1);
    let mayStillSend = true;
    const second = failureOf(client.finishStatus(session, { mayStillSend: () => mayStillSend }));
    mayStillSend = false;
    answer();
    await first;
    expect((await second).kind).toBe('notTaken');
    expect(server.requests).toHaveLength(1);
  });
});

describe('connections', () => {
  it('does not retry a request if the connection closes after it was read', async () => {
    await using server = await serve((request) => request.socket.destroy());
    expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({ kind: 'maybeRunning' });
    expect(server.requests).toHaveLength(1);
  });

  it('does not retry a request on a reused connection that closes', async () => {
    await using server = await serve((request, response) => {
      // Answers the first request, and hangs up on the second one of the same connection.
      if (server.requests.length > 1) request.socket.destroy();
      else response.end('{"action": "none"}');
    });
    const client = clientOf(server.url, { connections: 1 });
    await client.finishStatus(session);
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'maybeRunning' });
    expect(server.requests).toHaveLength(2);
  });

  it('tells undici that no request is idempotent, so that undici retries none', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const idempotent: unknown[] = [];
    const listen = (message: unknown) =>
      idempotent.push((message as { request: { idempotent: boolean } }).request.idempotent);
    subscribe('undici:request:create', listen);
    try {
      const client = clientOf(server.url);
      for (const call of [client.finishStatus, client.onboardingStatus, client.score]) {
        await call(session).catch(() => undefined);
      }
    } finally {
      unsubscribe('undici:request:create', listen);
    }
    expect(idempotent).toEqual([false, false, false]);
  });

  it('reuses a connection for the next request', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const client = clientOf(server.url, { connections: 1 });
    for (let i = 0; i < 5; i += 1) await client.finishStatus(session);
    expect(new Set(server.requests.map((request) => request.socket.remotePort)).size).toBe(1);
  });

  it('never opens more connections than configured', async () => {
    await using server = await serve((_, response) => setTimeout(() => response.end('{"action": "none"}'), 20));
    const client = clientOf(server.url, { connections: 3 });
    await Promise.all(Array.from({ length: 12 }, () => client.finishStatus(session)));
    expect(new Set(server.requests.map((request) => request.socket.remotePort)).size).toBe(3);
  });
});

describe('error answers', () => {
  it.each([
    [401, 'tokenRefused'],
    [403, 'apiKeyRefused'],
    [404, 'unknownSession'],
    [500, 'resultUnknown'],
    [502, 'maybeRunning'],
    [503, 'notTaken'],
  ])("reports %i as %s with the status and Incode's code, without the body", async (status, kind) => {
    await using server = await serve((_, response) => {
      response.statusCode = status;
      response.end(JSON.stringify({ timestamp: 1, status: 4_019, error: 'E', message: `token ${TOKEN} of Jane Doe` }));
    });
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind, httpStatus: status, code: 4_019, operation: 'finishStatus' });
    expect(error.message).not.toContain('Jane Doe');
  });

  it('decides by the status if the body is HTML', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
    });
    expect(await failureOf(clientOf(server.url).score(session))).toMatchObject({
      kind: 'maybeRunning',
      httpStatus: 502,
    });
  });

  it.each([
    ['2', 2_000],
    ['Thu, 01 Jan 2026 00:00:03 GMT', 3_000],
    ['nonsense', undefined],
  ])('reads Retry-After "%s" as %s ms', async (header, retryAfterMs) => {
    await using server = await serve((_, response) => {
      response.writeHead(429, { 'retry-after': header }).end();
    });
    const now = () => Date.parse('2026-01-01T00:00:00Z');
    expect((await failureOf(clientOf(server.url, { now }).score(session))).retryAfterMs).toBe(retryAfterMs);
  });

  it('does not follow a redirect', async () => {
    await using target = await serve((_, response) => response.end('{"action": "none"}'));
    await using server = await serve((_, response) => {
      response.writeHead(307, { location: target.url }).end();
    });
    expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({
      kind: 'misconfigured',
      httpStatus: 307,
    });
    expect(target.requests).toHaveLength(0);
  });
});

describe('unusable answers', () => {
  it.each(['', '[]', 'null', '"x"', '{"action": "appr', '{"timestamp": 1, "status": 500, "error": "E"}'])(
    'reports a 200 with the body %j as resultUnknown',
    async (body) => {
      await using server = await serve((_, response) => response.end(body));
      expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({
        kind: 'resultUnknown',
        httpStatus: 200,
      });
    },
  );

  it('reports a status answer without a status as resultUnknown', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    expect(await failureOf(clientOf(server.url).onboardingStatus(session))).toMatchObject({ kind: 'resultUnknown' });
  });

  it('reports a body that ends too early as resultUnknown', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"action"');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({ kind: 'resultUnknown' });
  });

  it.each([true, false])('reports a body of 5 MiB as resultUnknown, with content-length: %s', async (hasLength) => {
    const size = 5 * 1_048_576;
    await using server = await serve((_, response) => {
      if (hasLength) response.setHeader('content-length', size);
      else response.setHeader('transfer-encoding', 'chunked');
      response.end(Buffer.alloc(size, 'x'));
    });
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'resultUnknown' });
    expect(error.message).toContain('1 MiB');
  });

  it('reports a body that never ends as resultUnknown', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200);
      response.write('{');
    });
    // Long enough for the headers on a busy machine. Without them, the result would be another one.
    const client = clientOf(server.url, { finishTimeoutMs: 3_000 });
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'resultUnknown' });
  });

  it('reports a timeout without headers as maybeRunning', async () => {
    await using server = await serve(() => undefined);
    const client = clientOf(server.url, { finishTimeoutMs: 100, timeoutMs: 100 });
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'maybeRunning' });
    expect(await failureOf(client.score(session))).toMatchObject({ kind: 'maybeRunning' });
  });
});

describe('cancellation', () => {
  it('sends nothing if the call is cancelled before it begins', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const error = await failureOf(clientOf(server.url).finishStatus(session, { signal: AbortSignal.abort() }));
    expect(error.kind).toBe('notTaken');
    expect(server.requests).toHaveLength(0);
  });

  it('sends nothing if the call is cancelled while it waits for a connection', async () => {
    await using server = await serve((_, response) => setTimeout(() => response.end('{"action": "none"}'), 200));
    const client = clientOf(server.url, { connections: 1 });
    const first = client.finishStatus(session);
    const cancelled = new AbortController();
    const second = failureOf(client.finishStatus(session, { signal: cancelled.signal }));
    cancelled.abort();
    expect((await second).kind).toBe('notTaken');
    await first;
    await client.finishStatus(session);
    expect(server.requests).toHaveLength(2);
  });

  it('reports a call that is cancelled after sending as maybeRunning', async () => {
    const cancelled = new AbortController();
    await using server = await serve(() => cancelled.abort());
    const error = await failureOf(clientOf(server.url).finishStatus(session, { signal: cancelled.signal }));
    expect(error.kind).toBe('maybeRunning');
  });
});

describe('requests that cannot be sent', () => {
  it('reports a closed port as notTaken', async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error.kind).toBe('notTaken');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('reports an unknown host name as notTaken', async () => {
    expect((await failureOf(clientOf('https://incode.invalid').finishStatus(session))).kind).toBe('notTaken');
  });

  it('reports a server without TLS as notTaken', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const error = await failureOf(clientOf(server.url.replace('http:', 'https:')).finishStatus(session));
    expect(error.kind).toBe('notTaken');
  });

  it.each(['a\r\nx-api-key: other', 'a\nb', 'a b', 'ä', ''])(
    'reports a token that does not fit in a header as tokenRefused: %j',
    async (sessionToken) => {
      await using server = await serve((_, response) => response.end('{"action": "none"}'));
      const error = await failureOf(clientOf(server.url).finishStatus({ interviewId: 'i', sessionToken }));
      expect(error.kind).toBe('tokenRefused');
      expect(server.requests).toHaveLength(0);
    },
  );
});

describe('proxies', () => {
  /** A proxy that opens tunnels, or refuses them. */
  async function proxy(refusal?: string) {
    const server = await serve(() => undefined);
    const asked: string[] = [];
    server.server.on('connect', (request, socket) => {
      asked.push(String(request.url));
      if (refusal) {
        socket.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
        return;
      }
      const [host, port] = String(request.url).split(':');
      const target = connect(Number(port), String(host), () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    return Object.assign(server, { asked });
  }

  it('sends requests through a proxy', async () => {
    await using server = await serve((_, response) => response.end('{"action": "approved"}'));
    await using via = await proxy();
    const client = clientOf(server.url, { proxy: { httpProxy: via.url } });
    expect((await client.finishStatus(session)).action).toBe('approved');
    expect(via.asked).toEqual([server.url.replace('http://', '')]);
    expect(server.requests).toHaveLength(1);
  });

  it('uses no proxy for a host in noProxy', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    await using via = await proxy();
    await clientOf(server.url, { proxy: { httpProxy: via.url, noProxy: '127.0.0.1' } }).finishStatus(session);
    expect(via.asked).toEqual([]);
  });

  it.each([
    ['407 Proxy Authentication Required', 'misconfigured'],
    ['502 Bad Gateway', 'notTaken'],
  ])('reports a proxy that answers %s as %s', async (refusal, kind) => {
    await using via = await proxy(refusal);
    const error = await failureOf(
      clientOf('http://incode.example', { allowPlainHttp: true, proxy: { httpProxy: via.url } }).finishStatus(session),
    );
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(`the proxy answered ${refusal.slice(0, 3)}`);
  });
});

describe('createIncodeClient', () => {
  it.each([
    { baseUrl: 'http://127.0.0.1:4010' },
    { baseUrl: 'http://localhost:4010' },
    { baseUrl: 'http://[::1]:4010' },
    { baseUrl: 'http://incode.example', allowPlainHttp: true },
  ])('accepts http on this machine or with allowPlainHttp: %j', async (options) => {
    await createIncodeClient({ apiKey: 'k', ...options }).close();
  });

  it('returns a client that shows no API key when printed', () => {
    const client = clientOf('http://127.0.0.1:1');
    expect(inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client)).not.toContain(API_KEY);
  });

  it.each([
    [{ baseUrl: 'incode.example' }, 'baseUrl'],
    [{ baseUrl: 'ftp://incode.example' }, 'baseUrl'],
    [{ baseUrl: 'https://user:secret@incode.example' }, 'baseUrl'],
    [{ baseUrl: 'https://incode.example?key=secret' }, 'baseUrl'],
    [{ baseUrl: 'http://incode.example' }, 'baseUrl'],
    [{ baseUrl: 'http://10.0.0.7:4010' }, 'baseUrl'],
    [{ apiKey: '' }, 'apiKey'],
    [{ apiKey: 'secret\nsecret' }, 'apiKey'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ connections: 1.5 }, 'connections'],
  ])('refuses %j and names the option %s', (wrong, name) => {
    const make = () => createIncodeClient({ baseUrl: 'https://incode.example', apiKey: 'k', ...wrong });
    expect(make).toThrow(new RegExp(`^${name} (?!.*secret)`));
  });
});
