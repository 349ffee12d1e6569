import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { gatewayLists } from '../../src/cli/local/gateway-lists.js';
import { OnboardingClient } from '../../src/client/index.js';
import { OPERATIONS } from '../../src/gateway/operations.js';
import { raw, statusesOf } from '../webhook/support.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const { token, entry } = makeToken('everything', 'read', 'start', 'operate');

let connection: Connection;
let client: OnboardingClient;
let gateway: TestGateway;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new OnboardingClient({ client: new Client({ connection, namespace: inject('temporalNamespace') }) });
  gateway = await startGateway({
    client,
    tokens: () => [entry],
    bodyTimeoutMs: 300,
    headersTimeoutMs: 300,
    requestsPerSecond: 10_000,
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await connection.close();
});

/** A raw request, whose path and headers no client library changes. */
function request(line: string, headers: string[] = [], body = ''): Promise<string> {
  const all = [`${line} HTTP/1.1`, `host: 127.0.0.1:${gateway.port}`, `authorization: Bearer ${token}`, ...headers];
  return raw(gateway.port, [`${all.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`]);
}

describe('ids', () => {
  it.each([
    ['a path to elsewhere', '/v1/sessions/..%2f..%2fetc%2fpasswd', 404],
    ['dots', '/v1/sessions/%2e%2e', 404],
    ['a space', '/v1/sessions/a%20b', 400],
    ['a null byte', '/v1/sessions/a%00b', 400],
    ['a line break', '/v1/sessions/a%0d%0ab', 400],
    ['Unicode', '/v1/sessions/%E2%82%AC', 400],
    ['broken percent encoding', '/v1/sessions/%E2%82', 400],
    ['half of a percent sign', '/v1/sessions/%', 400],
    ['201 characters', `/v1/sessions/${'a'.repeat(201)}`, 400],
    ['5,000 characters', `/v1/sessions/${'a'.repeat(5_000)}`, 400],
    ['an empty id', '/v1/sessions//finish', 404],
  ])('with %s get a clear answer', async (_, path, status) => {
    const received = await request(`GET ${path}`);
    expect(statusesOf(received)).toEqual([status]);
    expect(received.toLowerCase()).toContain('content-type: application/problem+json\r\n');
  });

  it('may contain any printable ASCII character', async () => {
    const interviewId = `!"#$%&'()*+,-./:;<=>?@[\\]^_{|}~`;
    const answer = await ask(gateway, `GET /v1/sessions/${encodeURIComponent(interviewId)}`, { token });
    expect([answer.status, answer.body.interviewId]).toEqual([404, interviewId]);
  });
});

describe('bodies', () => {
  const post = (sent: { body?: unknown; headers?: Record<string, string> }) =>
    ask(gateway, 'POST /v1/sessions', { token, ...sent });

  it.each<[string, { body?: unknown; headers?: Record<string, string> }, number, string]>([
    ['JSON that ends early', { body: '{"interviewId":' }, 400, 'InvalidInputError'],
    ['deeply nested JSON', { body: '['.repeat(30_000) }, 400, 'InvalidInputError'],
    ['a field of the prototype', { body: '{"__proto__":{"interviewId":"a"}}' }, 400, 'InvalidInputError'],
    ['a number', { body: '7' }, 400, 'InvalidInputError'],
    ['null', { body: 'null' }, 400, 'InvalidInputError'],
    ['too many bytes', { body: `{"interviewId":"${'a'.repeat(70_000)}"}` }, 413, 'ContentTooLarge'],
    [
      'a form',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'UnsupportedMediaType',
    ],
    ['plain text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'UnsupportedMediaType'],
    ['a malformed type', { body: '{}', headers: { 'content-type': '///' } }, 415, 'UnsupportedMediaType'],
    ['compression', { body: '{}', headers: { 'content-encoding': 'gzip' } }, 415, 'UnsupportedMediaType'],
  ])('%s is refused', async (_, sent, status, name) => {
    const answer = await post(sent);
    expect([answer.status, problemName(answer)]).toEqual([status, name]);
  });

  it('that are not UTF-8 are refused', async () => {
    const response = await fetch(`${gateway.url}/v1/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from([0x22, 0xff, 0x22]),
    });
    expect([response.status, ((await response.json()) as { field: string }).field]).toEqual([400, 'body']);
  });

  it('that do not arrive in time are answered 408', async () => {
    const received = await request('POST /v1/sessions', ['content-type: application/json', 'content-length: 20'], '{');
    expect(statusesOf(received)).toEqual([408]);
    expect(received).toContain('RequestTimeout');
  });

  it('without a valid token are not read', async () => {
    const head = ['POST /v1/sessions HTTP/1.1', 'host: a', 'content-type: application/json', 'content-length: 60000'];
    const received = await raw(gateway.port, [`${head.join('\r\n')}\r\n\r\n`]);
    expect(statusesOf(received)).toEqual([401]);
    expect(received.toLowerCase()).toContain('connection: close');
  });
});

describe('operations', () => {
  const operations = Object.entries(OPERATIONS).map(([name, operation]) => ({ name, ...operation }));

  it.each(operations)('$name refuses a query parameter that it does not have', async ({ method, path }) => {
    const url = path.replace(/\{\w+\}/, 'a');
    const headers: Record<string, string> = url === '/v1/batches' && method === 'POST' ? CSV : {};
    const sent = method === 'POST' ? { body: headers === CSV ? 'interviewId' : '{}', headers } : {};
    const answer = await ask(gateway, `${method} ${url}?wrong=1`, { token, ...sent });
    expect([answer.status, answer.body.field]).toEqual([400, 'query.wrong']);
  });

  it.each(['pauseBatch', 'resumeBatch', 'stopBatch', 'cancelSession', 'cancelPerson'] as const)(
    '%s refuses fields, because it has none',
    async (name) => {
      const { method, path } = OPERATIONS[name];
      const body = { reason: 'none' };
      const answer = await ask(gateway, `${method} ${path.replace(/\{\w+\}/, 'a')}`, { token, body });
      expect([answer.status, answer.body.field]).toEqual([400, 'body.reason']);
    },
  );

  it('answers tell browsers not to guess their type', async () => {
    for (const path of ['/v1/about', '/v1/sessions/nobody', '/v1/openapi.json', '/nothing', '/healthz']) {
      expect((await ask(gateway, `GET ${path}`, { token })).headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

const CSV = { 'content-type': 'text/csv' };

it('a compressed list is refused with 415', async () => {
  const headers = { ...CSV, 'content-encoding': 'gzip' };
  const answer = await ask(gateway, 'POST /v1/batches', { token, body: 'interviewId', headers });
  expect([answer.status, problemName(answer)]).toEqual([415, 'UnsupportedMediaType']);
});

it('a list that finds no room on the disk is answered 507 with what to do', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const receive = () => Promise.reject(full);
  await using one = await startGateway({ client, tokens: () => [entry], lists: { ...gatewayLists, receive } });
  const answer = await ask(one, 'POST /v1/batches', { token, body: 'interviewId', headers: CSV });
  expect([answer.status, problemName(answer)]).toEqual([507, 'InsufficientStorage']);
  expect(answer.body.detail).toContain('TMPDIR');
});

it('a request on an open connection while the gateway stops is answered with a problem', async () => {
  const one = await startGateway({ client, tokens: () => [entry] });
  const socket = connect(one.port, '127.0.0.1');
  await once(socket, 'connect');
  // The beginning of a request, so that the connection is not idle.
  socket.write('GET /v1/about HTTP/1.1\r\n');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  // The gateway has the connection when it answers another one.
  await ask(one, 'GET /healthz');
  const closed = one.gateway.close();
  socket.write(`host: a\r\nauthorization: Bearer ${token}\r\n\r\n`);
  await Promise.all([once(socket, 'close'), closed]);
  expect(statusesOf(received)).toEqual([503]);
  expect(received.toLowerCase()).toContain('content-type: application/problem+json');
  expect(received).toContain('GatewayStopping');
});

it('a list that is arriving when the gateway stops is answered 503', async () => {
  const one = await startGateway({ client, tokens: () => [entry] });
  const head = ['POST /v1/batches HTTP/1.1', 'host: a', `authorization: Bearer ${token}`, 'content-type: text/csv'];
  const socket = connect(one.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${head.join('\r\n')}\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n\r\n`);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  // Then the gateway waits for the list.
  await expect.poll(() => received).toContain('100 Continue');
  socket.write('interviewId\n');
  const closed = one.gateway.close();
  await Promise.all([once(socket, 'close'), closed]);
  expect(statusesOf(received).at(-1)).toBe(503);
  expect(received).toContain('GatewayStopping');
});

describe('requests', () => {
  it.each([
    ['GET /console', 404, 'NotFound'],
    ['GET /v1', 404, 'NotFound'],
    ['POST /v1/nothing', 404, 'NotFound'],
    ['PUT /v1/sessions', 405, 'MethodNotAllowed'],
    ['PATCH /v1/sessions/a', 405, 'MethodNotAllowed'],
    ['GET /v1/sessions/a/finish', 405, 'MethodNotAllowed'],
  ])('%s is answered %s', async (what, status, name) => {
    const answer = await ask(gateway, what);
    expect([answer.status, problemName(answer)]).toEqual([status, name]);
  });

  it('name the allowed methods in a 405', async () => {
    expect((await ask(gateway, 'PUT /v1/sessions')).headers.get('allow')).toBe('POST, GET');
  });

  it('that are not HTTP are answered 400', async () => {
    expect(statusesOf(await raw(gateway.port, ['not http at all\r\n\r\n']))).toEqual([400]);
  });

  it('with headers that are too large are answered 431', async () => {
    expect(statusesOf(await request('GET /v1/sessions', [`x-large: ${'x'.repeat(20_000)}`]))).toEqual([431]);
  });

  it('whose headers do not arrive in time are answered 408', async () => {
    expect(statusesOf(await raw(gateway.port, ['GET /v1/sessions HTTP/1.1\r\n']))).toEqual([408]);
  });
});

it('closes connections beyond the maximum', async () => {
  await using small = await startGateway({
    client,
    tokens: () => [entry],
    maxConnections: 2,
    headersTimeoutMs: 60_000,
  });
  const [one, two] = [raw(small.port, ['GET '], { untilMs: 1_000 }), raw(small.port, ['GET '], { untilMs: 1_000 })];
  await expect
    .poll(() =>
      fetch(`${small.url}/healthz`).then(
        () => 'answered',
        () => 'closed',
      ),
    )
    .toBe('closed');
  await Promise.all([one, two]);
  await expect
    .poll(() =>
      fetch(`${small.url}/healthz`).then(
        () => 'answered',
        () => 'closed',
      ),
    )
    .toBe('answered');
});

it('answers 503 with Retry-After, and without the address, while Temporal is away', async () => {
  const away = await Connection.lazy({ address: '127.0.0.1:1' });
  await using one = await startGateway({
    client: new OnboardingClient({ client: new Client({ connection: away }) }),
    tokens: () => [entry],
    ready: async () => false,
  });
  const answer = await ask(one, 'GET /v1/sessions/a', { token });
  expect([answer.status, problemName(answer)]).toEqual([503, 'TemporalUnavailableError']);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
  expect(one.events[0]?.error).toMatchObject({ problem: 'notListening' });
  expect((await ask(one, 'GET /readyz')).status).toBe(503);
  await away.close();
});
