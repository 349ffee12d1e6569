import { describe, expect, it } from 'vitest';
import { raw, SECRET, STATUS, startReceiver, statusesOf } from './support.js';

// What an HTTP client would never send: bytes on a socket.

const BODY = JSON.stringify(STATUS);

function request(body: string, headers: string[] = [`Content-Length: ${body.length}`]): string {
  const lines = ['POST /incode/webhook HTTP/1.1', 'Host: x', 'Content-Type: application/json', `X-Secret: ${SECRET}`];
  return `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('slow senders are cut off', () => {
  it('that never end their headers', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 300 });
    const startedAt = Date.now();
    const received = await raw(one.port, ['POST /incode/webhook HTTP/1.1\r\n', ...Array(30).fill('X-A: b\r\n')], {
      pauseMs: 100,
    });
    expect(statusesOf(received)).toEqual([408]);
    expect(Date.now() - startedAt).toBeLessThan(3_500);
  });

  it('that never say anything', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 300 });
    const startedAt = Date.now();
    await raw(one.port, []);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  it('that send their body byte by byte', async () => {
    await using one = await startReceiver({ bodyTimeoutMs: 300 });
    const startedAt = Date.now();
    const received = await raw(one.port, [request('', ['Content-Length: 1000']), ...Array(30).fill('{')], {
      pauseMs: 50,
    });
    expect(statusesOf(received)).toEqual([408]);
    expect(Date.now() - startedAt).toBeLessThan(2_500);
    expect(one.receiver.counts.incomplete).toBe(1);
  });

  it('that owe the body of a request which was refused without it', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 200, bodyTimeoutMs: 200 });
    const startedAt = Date.now();
    const unknown = request('', ['Content-Length: 1000']).replace(SECRET, 'unknown-to-this-side');
    expect(statusesOf(await raw(one.port, [unknown]))[0]).toBe(401);
    expect(Date.now() - startedAt).toBeLessThan(3_500);
  });

  it('that stop in the middle of their body', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request('{"interviewId"', ['Content-Length: 1000'])], { untilMs: 100 });
    expect(received).toBe('');
    await expect.poll(() => one.receiver.counts.incomplete).toBe(1);
    expect(one.deliveries).toEqual([]);
  });
});

describe('bodies of another size than announced', () => {
  it('longer: the rest is not taken for a part of it', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request(`${BODY}GARBAGE\r\n\r\n`, [`Content-Length: ${BODY.length}`])]);
    // The answers may come in one piece, or the connection may be closed over the rest.
    expect([[200, 400], [400]]).toContainEqual(statusesOf(received));
    expect(one.deliveries).toEqual([STATUS]);
  });

  it.each([
    ['a negative length', ['Content-Length: -5']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['a length that is none', ['Content-Length: 5x']],
    ['a length beside chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ])('with %s: 400', async (_, headers) => {
    await using one = await startReceiver();
    expect(statusesOf(await raw(one.port, [request(BODY, headers)]))).toEqual([400]);
    expect(one.deliveries).toEqual([]);
  });

  it('announced as too large: 413 before a byte of it is read', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request('', ['Content-Length: 65537'])]);
    expect(statusesOf(received)).toEqual([413]);
    expect(received).toMatch(/connection: close/i);
  });

  it('chunked: taken up to the limit', async () => {
    await using one = await startReceiver({ maxBodyBytes: 200 });
    const chunks = [chunk(BODY.slice(0, 20)), chunk(BODY.slice(20)), '0\r\n\r\n'];
    const received = await raw(one.port, [request('', ['Transfer-Encoding: chunked', 'Connection: close']), ...chunks]);
    expect(statusesOf(received)).toEqual([200]);
    expect(one.deliveries).toEqual([STATUS]);
  });

  it('chunked without end: 413 as soon as the limit is passed', async () => {
    await using one = await startReceiver();
    const endless = Array<string>(100).fill(chunk('x'.repeat(4_096)));
    const received = await raw(one.port, [request('', ['Transfer-Encoding: chunked']), ...endless], { pauseMs: 1 });
    expect(statusesOf(received)).toEqual([413]);
    expect(one.receiver.counts.tooLarge).toBe(1);
  });
});

describe('a connection', () => {
  it('carries several requests at once, answered in their order', async () => {
    await using one = await startReceiver();
    const wrong = request(BODY).replace(SECRET, 'unknown-to-this-side');
    const last = request('{', ['Content-Length: 1', 'Connection: close']);
    expect(statusesOf(await raw(one.port, [request(BODY) + wrong + request(BODY) + last]))).toEqual([
      200, 401, 200, 400,
    ]);
    expect(one.receiver.counts.delivered).toBe(2);
  });

  it('goes on after a refusal whose body was not read', async () => {
    await using one = await startReceiver();
    const refused = request('x'.repeat(60_000)).replace(SECRET, 'unknown-to-this-side');
    const next = request(BODY, [`Content-Length: ${BODY.length}`, 'Connection: close']);
    expect(statusesOf(await raw(one.port, [refused, next]))).toEqual([401, 200]);
  });
});

describe('headers', () => {
  it.each([
    ['a line break in a value', [`X-Other: a\r\nX-Secret: ${SECRET}`]],
    ['the secret twice', [`X-Secret: ${SECRET}`]],
    ['a list of guesses', [`X-Secret: a, ${SECRET}`]],
  ])('that carry %s are no secret', async (_, headers) => {
    await using one = await startReceiver();
    // Two headers of one name are one value, which is none of the secrets.
    const text = request(BODY, [...headers, `Content-Length: ${BODY.length}`, 'Connection: close']);
    expect(statusesOf(await raw(one.port, [text]))).toEqual([401]);
  });

  it.each([
    ['with a zero byte', ['X-A: a\0b'], 400],
    ['folded over lines', ['X-A: a', ' X-Secret: b'], 400],
    ['without end', [`X-A: ${'a'.repeat(20_000)}`], 431],
  ])('%s are refused', async (_, headers, status) => {
    await using one = await startReceiver();
    expect(statusesOf(await raw(one.port, [request(BODY, [...headers, `Content-Length: ${BODY.length}`])]))).toEqual([
      status,
    ]);
    expect(one.deliveries).toEqual([]);
  });

  it('come back in no answer', async () => {
    await using one = await startReceiver();
    const body = '{"interviewId": "a\\r\\nSet-Cookie: b", "onboardingStatus": "c\\r\\nX-D: e"}';
    const text = request(body, [`Content-Length: ${body.length}`, 'Connection: close']);
    const received = await raw(one.port, [text]);
    expect(statusesOf(received)).toEqual([400]);
    expect(received).not.toMatch(/Set-Cookie|X-D/i);
  });
});

it('what is not HTTP is answered 400', async () => {
  await using one = await startReceiver();
  expect(statusesOf(await raw(one.port, ['\x16\x03\x01 hello\r\n\r\n']))).toEqual([400]);
});
