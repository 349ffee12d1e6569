import { describe, expect, it } from 'vitest';
import { raw, SECRET, STATUS, startReceiver, statusesOf } from './support.js';

// Bytes on a socket that no HTTP client would send.

const BODY = JSON.stringify(STATUS);

function request(body: string, headers: string[] = [`Content-Length: ${body.length}`]): string {
  const lines = ['POST /incode/webhook HTTP/1.1', 'Host: x', 'Content-Type: application/json', `X-Secret: ${SECRET}`];
  return `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('a slow sender', () => {
  it('gets 408 if it does not complete its headers in time', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 300 });
    const startedAt = Date.now();
    const received = await raw(one.port, ['POST /incode/webhook HTTP/1.1\r\n', ...Array(30).fill('X-A: b\r\n')], {
      pauseMs: 100,
    });
    expect(statusesOf(received)).toEqual([408]);
    expect(Date.now() - startedAt).toBeLessThan(3_500);
  });

  it('disconnects a sender that sends nothing', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 300 });
    const startedAt = Date.now();
    await raw(one.port, []);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  it('gets 408 if it sends its body byte by byte', async () => {
    await using one = await startReceiver({ bodyTimeoutMs: 300 });
    const startedAt = Date.now();
    const received = await raw(one.port, [request('', ['Content-Length: 1000']), ...Array(30).fill('{')], {
      pauseMs: 50,
    });
    expect(statusesOf(received)).toEqual([408]);
    expect(Date.now() - startedAt).toBeLessThan(2_500);
    expect(one.receiver.counts.incomplete).toBe(1);
  });

  it('disconnects a sender that does not send the body of a refused request', async () => {
    await using one = await startReceiver({ headersTimeoutMs: 200, bodyTimeoutMs: 200 });
    const startedAt = Date.now();
    const unknown = request('', ['Content-Length: 1000']).replace(SECRET, 'unknown-to-this-side');
    expect(statusesOf(await raw(one.port, [unknown]))[0]).toBe(401);
    expect(Date.now() - startedAt).toBeLessThan(3_500);
  });

  it('counts as incomplete if it disconnects in the middle of its body', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request('{"interviewId"', ['Content-Length: 1000'])], { untilMs: 100 });
    expect(received).toBe('');
    await expect.poll(() => one.receiver.counts.incomplete).toBe(1);
    expect(one.deliveries).toEqual([]);
  });
});

describe('the size of a body', () => {
  it('ends at Content-Length even if more bytes follow', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request(`${BODY}GARBAGE\r\n\r\n`, [`Content-Length: ${BODY.length}`])]);
    // The connection may close before the first answer is sent.
    expect([[200, 400], [400]]).toContainEqual(statusesOf(received));
    expect(one.deliveries).toEqual([STATUS]);
  });

  it.each([
    ['a negative length', ['Content-Length: -5']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['a length that is not a number', ['Content-Length: 5x']],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ])('is refused with 400 for %s', async (_, headers) => {
    await using one = await startReceiver();
    expect(statusesOf(await raw(one.port, [request(BODY, headers)]))).toEqual([400]);
    expect(one.deliveries).toEqual([]);
  });

  it('refuses a Content-Length above the limit with 413, before it reads the body', async () => {
    await using one = await startReceiver();
    const received = await raw(one.port, [request('', ['Content-Length: 65537'])]);
    expect(statusesOf(received)).toEqual([413]);
    expect(received).toMatch(/connection: close/i);
  });

  it('accepts a chunked body below the limit', async () => {
    await using one = await startReceiver({ maxBodyBytes: 200 });
    const chunks = [chunk(BODY.slice(0, 20)), chunk(BODY.slice(20)), '0\r\n\r\n'];
    const received = await raw(one.port, [request('', ['Transfer-Encoding: chunked', 'Connection: close']), ...chunks]);
    expect(statusesOf(received)).toEqual([200]);
    expect(one.deliveries).toEqual([STATUS]);
  });

  it('refuses a chunked body with 413 as soon as it exceeds the limit', async () => {
    await using one = await startReceiver();
    const endless = Array<string>(100).fill(chunk('x'.repeat(4_096)));
    const received = await raw(one.port, [request('', ['Transfer-Encoding: chunked']), ...endless], { pauseMs: 1 });
    expect(statusesOf(received)).toEqual([413]);
    expect(one.receiver.counts.tooLarge).toBe(1);
  });
});

describe('a connection', () => {
  it('answers pipelined requests in order', async () => {
    await using one = await startReceiver();
    const wrong = request(BODY).replace(SECRET, 'unknown-to-this-side');
    const last = request('{', ['Content-Length: 1', 'Connection: close']);
    expect(statusesOf(await raw(one.port, [request(BODY) + wrong + request(BODY) + last]))).toEqual([
      200, 401, 200, 400,
    ]);
    expect(one.receiver.counts.delivered).toBe(2);
  });

  it('stays usable after a refusal whose body was not read', async () => {
    await using one = await startReceiver();
    const refused = request('x'.repeat(60_000)).replace(SECRET, 'unknown-to-this-side');
    const next = request(BODY, [`Content-Length: ${BODY.length}`, 'Connection: close']);
    expect(statusesOf(await raw(one.port, [refused, next]))).toEqual([401, 200]);
  });
});

describe('headers', () => {
  it.each([
    ['the secret after a line break', [`X-Other: a\r\nX-Secret: ${SECRET}`]],
    ['the secret twice', [`X-Secret: ${SECRET}`]],
    ['a list of guesses', [`X-Secret: a, ${SECRET}`]],
  ])('a request with %s is not authenticated', async (_, headers) => {
    await using one = await startReceiver();
    // Two headers with the same name are one value, which is not the secret.
    const text = request(BODY, [...headers, `Content-Length: ${BODY.length}`, 'Connection: close']);
    expect(statusesOf(await raw(one.port, [text]))).toEqual([401]);
  });

  it.each([
    [400, 'a zero byte', ['X-A: a\0b']],
    [400, 'a folded line', ['X-A: a', ' X-Secret: b']],
    [431, '20,000 characters', [`X-A: ${'a'.repeat(20_000)}`]],
  ])('the receiver answers %i to %s', async (status, _, headers) => {
    await using one = await startReceiver();
    expect(statusesOf(await raw(one.port, [request(BODY, [...headers, `Content-Length: ${BODY.length}`])]))).toEqual([
      status,
    ]);
    expect(one.deliveries).toEqual([]);
  });

  it('headers of an answer contain no value of the body', async () => {
    await using one = await startReceiver();
    const body = '{"interviewId": "a\\r\\nSet-Cookie: b", "onboardingStatus": "c\\r\\nX-D: e"}';
    const text = request(body, [`Content-Length: ${body.length}`, 'Connection: close']);
    const received = await raw(one.port, [text]);
    expect(statusesOf(received)).toEqual([400]);
    expect(received).not.toMatch(/Set-Cookie|X-D/i);
  });
});

it('the receiver answers 400 to bytes that are not HTTP', async () => {
  await using one = await startReceiver();
  expect(statusesOf(await raw(one.port, ['\x16\x03\x01 hello\r\n\r\n']))).toEqual([400]);
});
