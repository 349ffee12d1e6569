import { describe, expect, it } from 'vitest';
import { createWebhookReceiver } from '../../src/webhook/index.js';
import { deliver, raw, STATUS, send, startReceiver } from './support.js';

const notify = async () => 'delivered' as const;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the receiver answers', () => {
  it('200 with JSON as soon as notify has taken a delivery', async () => {
    await using one = await startReceiver();
    const answer = await deliver(one.url, { body: { ...STATUS, clientId: 'acme', externalId: 'c-1', flowId: 'f-1' } });
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
    // Without a charset: Incode asks for this header, and may compare it as it stands.
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(one.deliveries).toEqual([{ ...STATUS, externalId: 'c-1', flowId: 'f-1' }]);
    expect(one.receiver.counts.delivered).toBe(1);
  });

  it('200 for a session that nobody here knows, so that it is not sent again', async () => {
    await using one = await startReceiver({ notify: async () => 'unknownSession' });
    expect(await deliver(one.url)).toMatchObject({ status: 200, body: { success: true } });
    expect(one.receiver.counts).toMatchObject({ unknownSession: 1, delivered: 0 });
  });

  it('200 for a session webhook without a status, and notifies nobody', async () => {
    await using one = await startReceiver();
    const body = { event_type: 'Session Succeeded', interviewId: STATUS.interviewId };
    expect(await deliver(one.url, { body })).toMatchObject({ status: 200, body: { success: true } });
    expect(one.receiver.counts).toMatchObject({ ignored: 1, delivered: 0 });
    expect(one.deliveries).toEqual([]);
    expect(one.events[0]).toMatchObject({ result: 'ignored', eventType: 'Session Succeeded' });
  });

  it.each<[string, string | Uint8Array, object]>([
    ['no JSON', '{"interviewId": "hidden', { error: 'body must be JSON', field: 'body' }],
    ['nothing', '', { error: 'body must be JSON', field: 'body' }],
    ['no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), { error: 'body must be UTF-8', field: 'body' }],
    ['UTF-16', Buffer.from('\ufeff{"interviewId": "a"}', 'utf16le'), { error: 'body must be UTF-8', field: 'body' }],
    ['no object', '["hidden"]', { error: 'body must be a JSON object', field: 'body' }],
    [
      'a missing field',
      '{"interviewId": "hidden"}',
      { error: 'onboardingStatus must be a non-empty string', field: 'onboardingStatus' },
    ],
  ])('400 to %s, and says what is wrong without repeating it', async (_, body, expected) => {
    await using one = await startReceiver();
    const answer = await deliver(one.url, { body });
    expect(answer).toMatchObject({ status: 400, body: { success: false, ...expected } });
    expect(JSON.stringify([answer.body, one.events])).not.toContain('hidden');
    expect(one.receiver.counts.malformed).toBe(1);
  });

  it('200 to a byte order mark', async () => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { body: `\ufeff${JSON.stringify(STATUS)}` })).toMatchObject({ status: 200 });
  });

  it.each([
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
    ['application/json; charset=iso-8859-1', 415],
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['json', 415],
    ['application/jsonp', 415],
  ])('content type %s: %i', async (contentType, status) => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { headers: { 'content-type': contentType } })).toMatchObject({ status });
    expect(one.receiver.counts.wrongContentType).toBe(status === 415 ? 1 : 0);
  });

  it('415 to a compressed body', async () => {
    await using one = await startReceiver();
    expect(await deliver(one.url, { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 415 });
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])('405 to %s', async (method) => {
    await using one = await startReceiver();
    const answer = await send(one.url, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(one.receiver.counts.wrongMethod).toBe(1);
  });

  it('404 elsewhere, before it looks at the body', async () => {
    await using one = await startReceiver();
    expect(await deliver(`${one.url}/incode`, { body: '{' })).toMatchObject({ status: 404, body: { success: false } });
    // There is no token endpoint without clients.
    expect(await deliver(`${one.url}/incode/oauth/token`)).toMatchObject({ status: 404 });
  });

  it.each(['/incode/webhook/', '/incode/webhook?from=incode'])('the same at %s', async (path) => {
    await using one = await startReceiver();
    expect(await deliver(one.url + path)).toMatchObject({ status: 200 });
  });

  it('413 to a body above the limit, 200 to one at the limit', async () => {
    await using one = await startReceiver({ maxBodyBytes: 200 });
    const filled = (bytes: number) => JSON.stringify(STATUS).padEnd(bytes, ' ');
    expect(await deliver(one.url, { body: filled(200) })).toMatchObject({ status: 200 });
    expect(await deliver(one.url, { body: filled(201) })).toMatchObject({ status: 413, body: { field: 'body' } });
    // Bytes, not characters.
    const wide = JSON.stringify({ ...STATUS, externalId: 'ü'.repeat(80) });
    expect(wide.length).toBeLessThan(200);
    expect(await deliver(one.url, { body: wide })).toMatchObject({ status: 413 });
    expect(one.receiver.counts).toMatchObject({ delivered: 1, tooLarge: 2 });
  });

  it('503 with Retry-After if notify rejects, and tells the log why', async () => {
    const away = new Error('14 UNAVAILABLE');
    await using one = await startReceiver({ notify: () => Promise.reject(away) });
    const answer = await deliver(one.url);
    expect(answer).toMatchObject({ status: 503, body: { success: false } });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(JSON.stringify(answer.body)).not.toContain('UNAVAILABLE');
    expect(one.receiver.counts.unavailable).toBe(1);
    expect(one.events[0]).toMatchObject({ result: 'unavailable', httpStatus: 503, error: away, ...STATUS });
  });

  it('503 if notify throws at once', async () => {
    await using one = await startReceiver({
      notify: () => {
        throw new Error('not even a promise');
      },
    });
    expect(await deliver(one.url)).toMatchObject({ status: 503 });
  });

  it.each<[string, () => Promise<'delivered'>]>([
    ['resolves', async () => 'delivered'],
    ['rejects', () => Promise.reject(new Error('later'))],
  ])('503 if notify takes too long, although it %s later', async (_, later) => {
    await using one = await startReceiver({ notifyTimeoutMs: 50, notify: () => wait(500).then(later) });
    expect(await deliver(one.url)).toMatchObject({ status: 503 });
    await wait(600);
    expect(one.receiver.counts).toMatchObject({ unavailable: 1, delivered: 0 });
  });
});

describe('the receiver', () => {
  it('takes many deliveries at a time, each once', async () => {
    await using one = await startReceiver({ notify: () => wait(20).then(() => 'delivered') });
    const ids = Array.from({ length: 300 }, (_, i) => `session-${i}`);
    const answers = await Promise.all(ids.map((interviewId) => deliver(one.url, { body: { ...STATUS, interviewId } })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(one.deliveries.map(({ interviewId }) => interviewId).sort()).toEqual(ids.sort());
    expect(one.receiver.counts.delivered).toBe(300);
  });

  it('tells its log neither secrets nor the customer', async () => {
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

  it('does its work although its log throws', async () => {
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

  it('lets nobody change its counts', async () => {
    await using receiver = createWebhookReceiver({ notify, allowUnauthenticated: true });
    (receiver.counts as { delivered: number }).delivered = 7;
    expect(receiver.counts.delivered).toBe(0);
  });

  it('listens on this machine only, unless told otherwise', async () => {
    await using one = await startReceiver();
    expect(one.url).toBe(`http://127.0.0.1:${one.port}`);
  });

  it('rejects if the port is taken', async () => {
    await using one = await startReceiver();
    await using other = createWebhookReceiver({ notify, allowUnauthenticated: true });
    await expect(other.listen({ port: one.port })).rejects.toThrow('EADDRINUSE');
  });

  it('takes other paths', async () => {
    await using one = await startReceiver({ path: '/hooks/incode' });
    expect(await deliver(`${one.url}/hooks/incode`)).toMatchObject({ status: 200 });
    expect(await deliver(one.url)).toMatchObject({ status: 404 });
    expect(one.receiver.paths).toEqual({ delivery: '/hooks/incode', token: null });
  });
});

describe('its health', () => {
  const get = (url: string) => send(url, { method: 'GET' });

  it('is alive, and ready unless told otherwise', async () => {
    await using one = await startReceiver();
    expect(await get(`${one.url}/healthz`)).toMatchObject({ status: 200, body: { alive: true } });
    expect(await get(`${one.url}/readyz`)).toMatchObject({ status: 200, body: { ready: true } });
  });

  it.each<[string, () => Promise<boolean>]>([
    ['says no', async () => false],
    ['rejects', () => Promise.reject(new Error('away'))],
    ['never answers', () => new Promise(() => undefined)],
    [
      'throws',
      () => {
        throw new Error('mistake');
      },
    ],
  ])('is not ready when ready() %s, but alive', async (_, ready) => {
    await using one = await startReceiver({ ready });
    expect(await get(`${one.url}/readyz`)).toMatchObject({ status: 503, body: { ready: false } });
    expect(await get(`${one.url}/healthz`)).toMatchObject({ status: 200 });
  });
});

describe('close', () => {
  it('answers what is under way, and takes nothing new', async () => {
    let taken: (() => void) | undefined;
    const one = await startReceiver({
      notify: () =>
        new Promise((resolve) => {
          taken = () => resolve('delivered');
        }),
    });
    const answer = deliver(one.url);
    await expect.poll(() => one.deliveries).toHaveLength(1);
    const closed = one.receiver.close();
    await wait(50);
    await expect(deliver(one.url)).rejects.toThrow();
    taken?.();
    expect(await answer).toMatchObject({ status: 200 });
    const startedAt = Date.now();
    await closed;
    // The connection is kept alive by its other end; that must not hold the process up.
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    await one.receiver.close();
  });

  it('waits for nobody who has not even sent a request', async () => {
    const one = await startReceiver({ headersTimeoutMs: 200, bodyTimeoutMs: 200, notifyTimeoutMs: 200 });
    const slow = raw(one.port, ['POST /incode/webhook HTTP/1.1\r\nHost: x\r\n']);
    await wait(50);
    const startedAt = Date.now();
    await one.receiver.close();
    expect(Date.now() - startedAt).toBeLessThan(1_500);
    await slow;
  });

  it('ends a receiver that never listened', async () => {
    await createWebhookReceiver({ notify, allowUnauthenticated: true }).close();
  });
});
