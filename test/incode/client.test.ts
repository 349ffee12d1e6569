import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createIncodeClient, type IncodeClient } from '../../src/incode/index.js';
import { serve } from '../support/http.js';
import { API_KEY, clientOf, failureOf, session, TOKEN } from './support.js';

describe('what is sent', () => {
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
    [
      'isFinished',
      (client: IncodeClient) => client.isFinished(session),
      'GET /omni/get/postprocess/isfinished?id=interview%2F1',
    ],
    ['score', (client: IncodeClient) => client.score(session), 'GET /omni/get/score?id=interview%2F1'],
    [
      'closeSession',
      (client: IncodeClient) => client.closeSession(session),
      'POST /omni/session/status/set?action=Closed',
    ],
  ])('%s has all four headers', async (_, call, line) => {
    await using server = await serve((request, response) => {
      const answers = { action: 'none', onboardingStatus: 'X', finished: true, sessionStatus: 'Closed' };
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

  it('start has no token, and what Incode demands in its body', async () => {
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

  it('keeps a path of the base URL', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    await clientOf(`${server.url}/gateway/`).finishStatus(session);
    expect(server.requests[0]?.url).toBe('/gateway/omni/finish-status');
  });
});

describe('a caller that may stop sending', () => {
  it('is asked before the first byte is written, and nothing is sent if it may not', async () => {
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

  it('is asked after the wait for a free connection', async () => {
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

describe('one attempt per call', () => {
  it('a connection that is closed after the request was read is not tried again', async () => {
    await using server = await serve((request) => request.socket.destroy());
    expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({ kind: 'maybeRunning' });
    expect(server.requests).toHaveLength(1);
  });

  it('a kept connection that the server closes in the meantime is not tried again either', async () => {
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

  it('tells undici that no request is idempotent, so that it sends none again by itself', async () => {
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

  it('uses a connection again', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const client = clientOf(server.url, { connections: 1 });
    for (let i = 0; i < 5; i += 1) await client.finishStatus(session);
    expect(new Set(server.requests.map((request) => request.socket.remotePort)).size).toBe(1);
  });

  it('has no more connections than it may', async () => {
    await using server = await serve((_, response) => setTimeout(() => response.end('{"action": "none"}'), 20));
    const client = clientOf(server.url, { connections: 3 });
    await Promise.all(Array.from({ length: 12 }, () => client.finishStatus(session)));
    expect(new Set(server.requests.map((request) => request.socket.remotePort)).size).toBe(3);
  });
});

describe('a refusal', () => {
  it.each([
    [401, 'tokenRefused'],
    [403, 'apiKeyRefused'],
    [404, 'unknownSession'],
    [500, 'resultUnknown'],
    [502, 'maybeRunning'],
    [503, 'notTaken'],
  ])('%i carries status, kind and Incode code, and nothing of its body', async (status, kind) => {
    await using server = await serve((_, response) => {
      response.statusCode = status;
      response.end(JSON.stringify({ timestamp: 1, status: 4_019, error: 'E', message: `token ${TOKEN} of Jane Doe` }));
    });
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind, httpStatus: status, code: 4_019, operation: 'finishStatus' });
    expect(error.message).not.toContain('Jane Doe');
  });

  it('with an HTML body is understood by its status', async () => {
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
  ])('tells when to come again: %s', async (header, retryAfterMs) => {
    await using server = await serve((_, response) => {
      response.writeHead(429, { 'retry-after': header }).end();
    });
    const now = () => Date.parse('2026-01-01T00:00:00Z');
    expect((await failureOf(clientOf(server.url, { now }).score(session))).retryAfterMs).toBe(retryAfterMs);
  });

  it('a redirect is not followed', async () => {
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

describe('an answer that is none', () => {
  it.each(['', '[]', 'null', '"x"', '{"action": "appr', '{"timestamp": 1, "status": 500, "error": "E"}'])(
    '%s',
    async (body) => {
      await using server = await serve((_, response) => response.end(body));
      expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({
        kind: 'resultUnknown',
        httpStatus: 200,
      });
    },
  );

  it('a status without a status', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    expect(await failureOf(clientOf(server.url).onboardingStatus(session))).toMatchObject({ kind: 'resultUnknown' });
  });

  it('a body that ends too early', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"action"');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failureOf(clientOf(server.url).finishStatus(session))).toMatchObject({ kind: 'resultUnknown' });
  });

  it.each([true, false])('a body of 5 MiB, its length told: %s', async (told) => {
    const size = 5 * 1_048_576;
    await using server = await serve((_, response) => {
      if (told) response.setHeader('content-length', size);
      else response.setHeader('transfer-encoding', 'chunked');
      response.end(Buffer.alloc(size, 'x'));
    });
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error).toMatchObject({ kind: 'resultUnknown' });
    expect(error.message).toContain('1 MiB');
  });

  it('a body that never ends', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200);
      response.write('{');
    });
    expect(await failureOf(clientOf(server.url, { finishTimeoutMs: 100 }).finishStatus(session))).toMatchObject({
      kind: 'resultUnknown',
    });
  });

  it('headers that never come', async () => {
    await using server = await serve(() => undefined);
    const client = clientOf(server.url, { finishTimeoutMs: 100, timeoutMs: 100 });
    expect(await failureOf(client.finishStatus(session))).toMatchObject({ kind: 'maybeRunning' });
    expect(await failureOf(client.score(session))).toMatchObject({ kind: 'maybeRunning' });
  });
});

describe('a call that is cancelled', () => {
  it('before it begins sends nothing', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const error = await failureOf(clientOf(server.url).finishStatus(session, { signal: AbortSignal.abort() }));
    expect(error.kind).toBe('notTaken');
    expect(server.requests).toHaveLength(0);
  });

  it('while it waits for a free connection sends nothing, also later', async () => {
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

  it('after it was sent may have taken effect', async () => {
    const cancelled = new AbortController();
    await using server = await serve(() => cancelled.abort());
    const error = await failureOf(clientOf(server.url).finishStatus(session, { signal: cancelled.signal }));
    expect(error.kind).toBe('maybeRunning');
  });
});

describe('what cannot be reached was not sent', () => {
  it('a closed port', async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    const error = await failureOf(clientOf(server.url).finishStatus(session));
    expect(error.kind).toBe('notTaken');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('a name without an address', async () => {
    expect((await failureOf(clientOf('https://incode.invalid').finishStatus(session))).kind).toBe('notTaken');
  });

  it('TLS that the other side does not speak', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    const error = await failureOf(clientOf(server.url.replace('http:', 'https:')).finishStatus(session));
    expect(error.kind).toBe('notTaken');
  });

  it.each(['a\r\nx-api-key: other', 'a\nb', 'a b', 'ä', ''])(
    'a token that cannot be a header: %j',
    async (sessionToken) => {
      await using server = await serve((_, response) => response.end('{"action": "none"}'));
      const error = await failureOf(clientOf(server.url).finishStatus({ interviewId: 'i', sessionToken }));
      expect(error.kind).toBe('tokenRefused');
      expect(server.requests).toHaveLength(0);
    },
  );
});

describe('a proxy', () => {
  /** Tunnels, or refuses to. */
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

  it('is used', async () => {
    await using server = await serve((_, response) => response.end('{"action": "approved"}'));
    await using via = await proxy();
    const client = clientOf(server.url, { proxy: { httpProxy: via.url } });
    expect((await client.finishStatus(session)).action).toBe('approved');
    expect(via.asked).toEqual([server.url.replace('http://', '')]);
    expect(server.requests).toHaveLength(1);
  });

  it('is not used for a host of noProxy', async () => {
    await using server = await serve((_, response) => response.end('{"action": "none"}'));
    await using via = await proxy();
    await clientOf(server.url, { proxy: { httpProxy: via.url, noProxy: '127.0.0.1' } }).finishStatus(session);
    expect(via.asked).toEqual([]);
  });

  it.each([
    ['407 Proxy Authentication Required', 'misconfigured'],
    ['502 Bad Gateway', 'notTaken'],
  ])('that answers %s', async (refusal, kind) => {
    await using via = await proxy(refusal);
    const error = await failureOf(
      clientOf('http://incode.example', { allowPlainHttp: true, proxy: { httpProxy: via.url } }).finishStatus(session),
    );
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(`the proxy answered ${refusal.slice(0, 3)}`);
  });
});

describe('the client itself', () => {
  it.each([
    { baseUrl: 'http://127.0.0.1:4010' },
    { baseUrl: 'http://localhost:4010' },
    { baseUrl: 'http://[::1]:4010' },
    { baseUrl: 'http://incode.example', allowPlainHttp: true },
  ])('takes http where nothing crosses the network, or where it is allowed: %j', async (options) => {
    await createIncodeClient({ apiKey: 'k', ...options }).close();
  });

  it('shows no key', () => {
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
  ])('refuses a wrong option, naming it: %j', (wrong, name) => {
    const make = () => createIncodeClient({ baseUrl: 'https://incode.example', apiKey: 'k', ...wrong });
    expect(make).toThrow(new RegExp(`^${name} (?!.*secret)`));
  });
});
