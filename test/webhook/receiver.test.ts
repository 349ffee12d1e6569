import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createWebhookReceiver } from '../../src/webhook/index.js';
import { deliver, STATUS, send, startReceiver } from './support.js';

const notify = async () => 'delivered' as const;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the delivery endpoint', () => {
  it('answers 200 with JSON once notify has accepted a delivery', async () => {
    await using one = await startReceiver();
    const answer = await deliver(one.url, { body: { ...STATUS, clientId: 'acme', externalId: 'c-1', flowId: 'f-1' } });
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
    // Without a charset, because Incode may compare the header literally.
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(one.deliveries).toEqual([{ ...STATUS, externalId: 'c-1', flowId: 'f-1' }]);
    expect(one.receiver.counts.delivered).toBe(1);
  });

  it('answers 200 for an unknown session, so that Incode does not send it again', async () => {
    await using one = await startReceiver({ notify: async () => 'unknownSession' });
    expect(await deliver(one.url)).toMatchObject({ status: 200, body: { success: true } });
    expect(one.receiver.counts).toMatchObject({ unknownSession: 1, delivered: 0 });
  });

  it('answers 200 to a session webhook without a status and does not call notify', async () => {
    await using one = await startReceiver();
    const body = { event_type: 'Session Succeeded', interviewId: STATUS.interviewId };
    expect(await deliver(one.url, { body })).toMatchObject({ status: 200, body: { success: true } });
    expect(one.receiver.counts).toMatchObject({ ignored: 1, delivered: 0 });
    expect(one.deliveries).toEqual([]);
    expect(one.events[0]).toMatchObject({ result: 'ignored', eventType: 'Session Succeeded' });
  });

  const STARTED = {
    event_type: 'Session Started',
    interviewId: STATUS.interviewId,
    externalCustomerId: 'ann-1~0123456789ab',
  };

  it("passes the start of a person's session to notifyStarted, and not to notify", async () => {
    const started: unknown[] = [];
    const notifyStarted = async (delivery: unknown) => {
      started.push(delivery);
      return 'delivered' as const;
    };
    await using one = await startReceiver({ notifyStarted });
    expect(await deliver(one.url, { body: STARTED })).toMatchObject({ status: 200, body: { success: true } });
    const { interviewId, externalCustomerId } = STARTED;
    expect(started).toEqual([{ interviewId, externalCustomerId }]);
    expect(one.deliveries).toEqual([]);
    expect(one.receiver.counts.delivered).toBe(1);
  });

  it("asks for the start of a person's session again if notifyStarted rejects", async () => {
    await using one = await startReceiver({
      notifyStarted: async () => {
        throw new Error('Temporal is down');
      },
    });
    expect((await deliver(one.url, { body: STARTED })).status).toBe(503);
  });

  it("ignores the start of a person's session without notifyStarted", async () => {
    await using one = await startReceiver();
    expect((await deliver(one.url, { body: STARTED })).status).toBe(200);
    expect(one.receiver.counts).toMatchObject({ ignored: 1, delivered: 0 });
  });

  it.each<[string, string | Uint8Array, object]>([
    ['invalid JSON', '{"interviewId": "hidden', { error: 'body must be JSON', field: 'body' }],
    ['an empty body', '', { error: 'body must be JSON', field: 'body' }],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), { error: 'body must be UTF-8', field: 'body' }],
    ['UTF-16', Buffer.from('\ufeff{"interviewId": "a"}', 'utf16le'), { error: 'body must be UTF-8', field: 'body' }],
    ['a list', '["hidden"]', { error: 'body must be a JSON object', field: 'body' }],
    [
      'a missing field',
      '{"interviewId": "hidden"}',
      { error: 'onboardingStatus must be a non-empty string', field: 'onboardingStatus' },
    ],
  ])('answers 400 to %s and shows no value', async (_, body, expected) => {
    await using one = await startReceiver();
    const answer = await deliver(one.url, { body });
    expect(answer).toMatchObject({ status: 400, body: { success: false, ...expected } });
    expect(JSON.stringify([answer.body, one.events])).not.toContain('hidden');
    expect(one.receiver.counts.malformed).toBe(1);
  });

  it('answers 200 to a body with a byte order mark', async () => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { body: `\ufeff${JSON.stringify(STATUS)}` })).toMatchObject({ status: 200 });
  });

  it.each([
    [200, 'application/json; charset=utf-8'],
    [200, 'Application/JSON;charset="UTF-8"'],
    [415, 'application/json; charset=iso-8859-1'],
    [415, 'text/plain'],
    [415, 'application/x-www-form-urlencoded'],
    [415, 'json'],
    [415, 'application/jsonp'],
  ])('answers %i to the content type %s', async (status, contentType) => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { headers: { 'content-type': contentType } })).toMatchObject({ status });
    expect(one.receiver.counts.wrongContentType).toBe(status === 415 ? 1 : 0);
  });

  it('answers 415 to a compressed body', async () => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 415 });
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])('answers 405 to %s', async (method) => {
    await using one = await startReceiver();
    const answer = await send(one.url, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(one.receiver.counts.wrongMethod).toBe(1);
  });

  it('answers 404 to other paths without reading the body', async () => {
    await using one = await startReceiver();
    expect(await deliver(`${one.url}/incode`, { body: '{' })).toMatchObject({ status: 404, body: { success: false } });
    // Without OAuth clients there is no token endpoint.
    expect(await deliver(`${one.url}/incode/oauth/token`)).toMatchObject({ status: 404 });
  });

  it.each(['/incode/webhook/', '/incode/webhook?from=incode'])('also answers at %s', async (path) => {
    await using one = await startReceiver();
    expect(await deliver(one.url + path)).toMatchObject({ status: 200 });
  });

  it('answers 200 to a body at the limit and 413 to a larger one', async () => {
    await using one = await startReceiver({ maxBodyBytes: 200 });
    const filled = (bytes: number) => JSON.stringify(STATUS).padEnd(bytes, ' ');
    expect(await deliver(one.url, { body: filled(200) })).toMatchObject({ status: 200 });
    expect(await deliver(one.url, { body: filled(201) })).toMatchObject({ status: 413, body: { field: 'body' } });
    // The limit is in bytes, not in characters.
    const wide = JSON.stringify({ ...STATUS, externalId: 'ü'.repeat(80) });
    expect(wide.length).toBeLessThan(200);
    expect(await deliver(one.url, { body: wide })).toMatchObject({ status: 413 });
    expect(one.receiver.counts).toMatchObject({ delivered: 1, tooLarge: 2 });
  });

  it('answers 503 with Retry-After if notify rejects and logs the error', async () => {
    const away = new Error('14 UNAVAILABLE');
    await using one = await startReceiver({ notify: () => Promise.reject(away) });
    const answer = await deliver(one.url);
    expect(answer).toMatchObject({ status: 503, body: { success: false } });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(JSON.stringify(answer.body)).not.toContain('UNAVAILABLE');
    expect(one.receiver.counts.unavailable).toBe(1);
    expect(one.events[0]).toMatchObject({ result: 'unavailable', httpStatus: 503, error: away, ...STATUS });
  });

  it('answers 503 if notify throws synchronously', async () => {
    await using one = await startReceiver({
      notify: () => {
        throw new Error('thrown synchronously');
      },
    });
    expect(await deliver(one.url)).toMatchObject({ status: 503 });
  });

  it.each<[string, () => Promise<'delivered'>]>([
    ['resolves', async () => 'delivered'],
    ['rejects', () => Promise.reject(new Error('later'))],
  ])('answers 503 if notify times out and later %s', async (_, later) => {
    await using one = await startReceiver({ notifyTimeoutMs: 50, notify: () => wait(500).then(later) });
    expect(await deliver(one.url)).toMatchObject({ status: 503 });
    await wait(600);
    expect(one.receiver.counts).toMatchObject({ unavailable: 1, delivered: 0 });
  });
});

describe('the receiver', () => {
  it('notifies once for each of 300 concurrent deliveries', async () => {
    await using one = await startReceiver({ notify: () => wait(20).then(() => 'delivered') });
    const ids = Array.from({ length: 300 }, (_, i) => `session-${i}`);
    const answers = await Promise.all(ids.map((interviewId) => deliver(one.url, { body: { ...STATUS, interviewId } })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(one.deliveries.map(({ interviewId }) => interviewId).sort()).toEqual(ids.sort());
    expect(one.receiver.counts.delivered).toBe(300);
  });

  it('logs neither secrets nor customer data', async () => {
    await using one = await startReceiver();
    await deliver(one.url, { body: { ...STATUS, externalId: 'customer-7', name: 'Ann' } });
    await deliver(one.url, { headers: { 'x-secret': 'a-wrong-secret-of-16' } });
    await deliver(one.url, { body: { event_type: 'Ann\nwas here', interviewId: 'a' } });
    expect(one.events).toEqual([
      {
        endpoint: 'delivery',
        result: 'delivered',
        httpStatus: 200,
        durationMs: expect.any(Number),
        credential: 'header.secrets[0]',
        ...STATUS,
      },
      {
        endpoint: 'delivery',
        result: 'unauthenticated',
        httpStatus: 401,
        durationMs: expect.any(Number),
        reason: 'A delivery must carry a valid credential',
      },
      {
        endpoint: 'delivery',
        result: 'ignored',
        httpStatus: 200,
        durationMs: expect.any(Number),
        credential: 'header.secrets[0]',
      },
    ]);
  });

  it('delivers even if its log throws', async () => {
    await using receiver = createWebhookReceiver({
      notify,
      allowUnauthenticated: true,
      log: () => {
        throw new Error('disk full');
      },
    });
    const { url } = await receiver.listen();
    expect(await deliver(url)).toMatchObject({ status: 200 });
    expect(receiver.counts.delivered).toBe(1);
  });

  it('protects its counts from changes', async () => {
    await using receiver = createWebhookReceiver({ notify, allowUnauthenticated: true });
    (receiver.counts as { delivered: number }).delivered = 7;
    expect(receiver.counts.delivered).toBe(0);
  });

  it('listens on 127.0.0.1 by default', async () => {
    await using one = await startReceiver();
    expect(one.url).toBe(`http://127.0.0.1:${one.port}`);
  });

  it('rejects if the port is taken', async () => {
    await using one = await startReceiver();
    await using other = createWebhookReceiver({ notify, allowUnauthenticated: true });
    await expect(other.listen({ port: one.port })).rejects.toThrow('EADDRINUSE');
  });

  it('uses a configured path', async () => {
    await using one = await startReceiver({ path: '/hooks/incode' });
    expect(await deliver(`${one.url}/hooks/incode`)).toMatchObject({ status: 200 });
    expect(await deliver(one.url)).toMatchObject({ status: 404 });
    expect(one.receiver.paths).toEqual({ delivery: '/hooks/incode', token: null });
  });
});

describe('the health endpoints', () => {
  const get = (url: string) => send(url, { method: 'GET' });

  it('the health endpoints report alive and, by default, ready', async () => {
    await using one = await startReceiver();
    expect(await get(`${one.url}/healthz`)).toMatchObject({ status: 200, body: { alive: true } });
    expect(await get(`${one.url}/readyz`)).toMatchObject({ status: 200, body: { ready: true } });
  });

  it.each<[string, () => Promise<boolean>]>([
    ['returns false', async () => false],
    ['rejects', () => Promise.reject(new Error('away'))],
    ['never answers', () => new Promise(() => undefined)],
    [
      'throws',
      () => {
        throw new Error('mistake');
      },
    ],
  ])('report alive and not ready if ready() %s', async (_, ready) => {
    await using one = await startReceiver({ ready });
    expect(await get(`${one.url}/readyz`)).toMatchObject({ status: 503, body: { ready: false } });
    expect(await get(`${one.url}/healthz`)).toMatchObject({ status: 200 });
  });
});

describe('close', () => {
  it('answers requests in flight and accepts no new ones', async () => {
    let accept: (() => void) | undefined;
    const one = await startReceiver({
      notify: () =>
        new Promise((resolve) => {
          accept = () => resolve('delivered');
        }),
    });
    const answer = deliver(one.url);
    await expect.poll(() => one.deliveries).toHaveLength(1);
    const closed = one.receiver.close();
    await wait(50);
    await expect(deliver(one.url)).rejects.toThrow();
    accept?.();
    expect(await answer).toMatchObject({ status: 200 });
    const startedAt = Date.now();
    await closed;
    // The client's keep-alive connection must not delay the end.
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    await one.receiver.close();
  });

  it('closes a connection without a complete request', async () => {
    const one = await startReceiver({ headersTimeoutMs: 200, bodyTimeoutMs: 200, notifyTimeoutMs: 200 });
    const socket = connect(one.port, '127.0.0.1').on('error', () => undefined);
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    socket.write('POST /incode/webhook HTTP/1.1\r\nHost: x\r\n');
    await one.receiver.close();
    await closed;
    await expect(fetch(one.url)).rejects.toThrow('fetch failed');
  });

  it('ends a receiver that never listened', async () => {
    await createWebhookReceiver({ notify, allowUnauthenticated: true }).close();
  });
});
