import { gzipSync } from 'node:zlib';
import type { IncodeClient, IncodeErrorKind } from '../../src/incode/index.js';
import { fc } from '../support/property.js';
import type { Script } from './hostile-server.js';

export const OPERATIONS = ['finishStatus', 'onboardingStatus', 'score', 'closeSession', 'start'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Makes a call whose request contains `case-N`. */
export function callOf(client: IncodeClient, operation: Operation, index: number): Promise<unknown> {
  const id = `case-${index}`;
  const session = { interviewId: id, sessionToken: `token.${id}` };
  return operation === 'start'
    ? client.start({ configurationId: 'c', externalCustomerId: id })
    : client[operation](session);
}

/** A body, and the answer that the client may read from it; `undefined` for none. */
export interface Body {
  bytes: Buffer;
  answer: Record<string, unknown> | undefined;
}

const text = (value: string) => Buffer.from(value);
const json = (value: unknown) => text(JSON.stringify(value));

/** Values of a wrong type that do not look like an error body. */
const wrongType = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 1e300, [], [''], {}, { action: 'approved' }, ['Closed']),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Fields without a meaning for the client. */
const harmless = fc.dictionary(
  fc.string().filter((name) => !MEANINGFUL.includes(name)),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 4 },
);

const MEANINGFUL = [
  ...['action', 'redirectionUrl', 'scoreStatus', 'onboardingStatus', 'finished', 'overall', 'sessionStatus', 'token'],
  ...['interviewId', 'existingSession'],
  ...['error', 'status', 'timestamp', 'message', 'path', 'success', 'failReason'],
];

/** Parts of Incode's error bodies, which a gateway may send with any status. */
const errorMark = fc.constantFrom<Record<string, unknown>>(
  { success: false },
  { success: false, failReason: 'SESSION_NOT_READY' },
  { failReason: 'UNKNOWN_DOCUMENT_TYPE' },
  { error: 'Unauthorized' },
  { error: { code: 5 } },
  { error: true },
  { timestamp: 1_700_000_000_000, status: 4019, error: 'Unauthorized', message: 'Expired', path: '/omni/x' },
  { timestamp: '2026-01-01T00:00:00Z', status: 500 },
  { status: 4019, message: 'A sentence.' },
  { status: 'SESSION_GONE', path: '/omni/x' },
);

/** Incode's answer, and what the client must return for it. Its texts contain the mark of the case. */
function success(operation: Operation, mark: string): { fields: Record<string, unknown>; answer: Body['answer'] } {
  switch (operation) {
    case 'finishStatus': {
      const fields = { action: 'approved', redirectionUrl: `https://example.com/${mark}`, scoreStatus: 'OK' };
      return { fields, answer: fields };
    }
    case 'onboardingStatus':
      return { fields: { onboardingStatus: `X_${mark}` }, answer: { onboardingStatus: `X_${mark}` } };

    case 'score':
      return { fields: { overall: { status: 'OK', value: mark } }, answer: { status: 'OK', value: mark } };
    case 'closeSession':
      return { fields: { sessionStatus: 'Closed' }, answer: { sessionStatus: 'Closed' } };
    case 'start':
      return {
        fields: { token: mark, interviewId: mark, existingSession: true },
        answer: { token: mark, interviewId: mark, existingSession: true },
      };
  }
}

/** The required field of each answer. A score may not be ready yet. */
const ESSENTIAL: Record<Operation, string> = {
  finishStatus: 'action',
  onboardingStatus: 'onboardingStatus',

  score: 'overall',
  closeSession: 'sessionStatus',
  start: 'token',
};

const NO_SCORE = { status: null, value: null };

function bodyOf(operation: Operation, mark: string): fc.Arbitrary<Body> {
  const { fields, answer } = success(operation, mark);
  const essential = ESSENTIAL[operation];
  const none = operation === 'score' ? NO_SCORE : undefined;
  const whole = JSON.stringify(fields);
  return fc.oneof(
    { weight: 4, arbitrary: harmless.map((more) => ({ bytes: json({ ...more, ...fields }), answer })) },
    fc.constantFrom(' ', '\n\t', '\uFEFF').map((before) => ({ bytes: text(before + whole), answer })),
    fc.integer({ min: 1, max: 50_000 }).map((depth) => ({
      bytes: text(`{"deep":${'['.repeat(depth)}${']'.repeat(depth)},${whole.slice(1)}`),
      answer,
    })),
    { weight: 3, arbitrary: errorMark.map((mark) => ({ bytes: json({ ...fields, ...mark }), answer: undefined })) },
    {
      weight: 3,
      arbitrary: wrongType.map((value) => ({ bytes: json({ ...fields, [essential]: value }), answer: none })),
    },
    harmless.map((more) => ({ bytes: json(more), answer: none })),
    fc.nat({ max: whole.length - 1 }).map((length) => ({ bytes: text(whole.slice(0, length)), answer: undefined })),
    fc
      .constantFrom('', 'null', 'true', '7', `[${whole}]`, JSON.stringify(whole), `${whole}${whole}`, `${whole},`)
      .map((body) => ({ bytes: text(body), answer: undefined })),
    fc
      .constantFrom(
        '<html><body>502 Bad Gateway</body></html>',
        `<pre>${whole}</pre>`,
        `)]}',\n${whole}`,
        `x(${whole})`,
      )
      .map((body) => ({ bytes: text(body), answer: undefined })),
    fc.integer({ min: 1, max: 50_000 }).map((depth) => ({ bytes: text('['.repeat(depth)), answer: undefined })),
    // A byte of another encoding in the middle of a required value.
    fc.constantFrom(0xff, 0xc3, 0xe9, 0x80).map((byte) => {
      const at = whole.indexOf(':"') + 3;
      const spoilt = [text(whole.slice(0, at)), Buffer.from([byte]), text(whole.slice(at))];
      return { bytes: Buffer.concat(spoilt), answer: undefined };
    }),
    fc.constant({ bytes: Buffer.from(whole, 'utf16le'), answer: undefined }),
    fc.constant({ bytes: gzipSync(whole), answer: undefined }),
    fc
      .uint8Array({ maxLength: 200 })
      .filter(isNoObject)
      .map((bytes) => ({ bytes: Buffer.from(bytes), answer: undefined })),
  );
}

function isNoObject(bytes: Uint8Array): boolean {
  return !Buffer.from(bytes).toString().includes('{');
}

/** The kinds that each status may have, written independently of the code. `answer`: if the body is an answer. */
export function kindsOf(status: number): (IncodeErrorKind | 'answer')[] {
  if (status === 204 || status === 205 || status === 500) return ['resultUnknown'];
  if (status >= 200 && status < 300) return ['answer', 'resultUnknown'];
  if ((status >= 300 && status < 400) || status === 407) return ['misconfigured'];
  if ([408, 425, 429, 503].includes(status)) return ['notTaken'];
  const refusals: Record<number, IncodeErrorKind> = {
    401: 'tokenRefused',
    403: 'apiKeyRefused',
    404: 'unknownSession',
    405: 'methodNotAllowed',
    406: 'notAcceptable',
  };
  if (status >= 400 && status < 500) return [refusals[status] ?? 'badRequest'];
  return ['maybeRunning'];
}

const status = fc.oneof(
  { weight: 5, arbitrary: fc.constant(200) },
  fc.constantFrom(200, 201, 202, 206, 226, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406),
  fc.constantFrom(407, 408, 409, 410, 418, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 520, 599),
  fc.integer({ min: 200, max: 999 }).filter((code) => code !== 204 && code !== 304),
);

const HEADERS = [
  ...[
    'content-type: application/json',
    'content-type: text/html; charset=utf-16',
    'Content-Type:',
    'content-encoding: gzip',
  ],
  ...[
    'content-encoding: br, gzip',
    'retry-after: 5',
    'retry-after: -1',
    'retry-after: soon',
    'retry-after: 99999999999999',
  ],
  ...['retry-after: 1\r\nretry-after: 2', 'date: Thu, 01 Jan 2026 00:00:00 GMT', 'date: never', 'date: 9e99'],
  ...['location: http://127.0.0.1:1/', 'set-cookie: a=b', 'set-cookie: c=d', 'x-b: \xe9\xff', 'connection: close'],
  ...[
    'keep-alive: timeout=1',
    'keep-alive: timeout=-1',
    'proxy-authenticate: Basic',
    'www-authenticate: Bearer',
    'trailer: x',
  ],
  ...[
    'alt-svc: h2=":1"',
    'strict-transport-security: max-age=1',
    `x-large: ${'x'.repeat(2_500)}`,
    '__proto__: 1',
    'constructor: 1',
  ],
];

const headers = fc.array(fc.constantFrom(...HEADERS), { maxLength: 5 });

const informational = fc
  .array(fc.constantFrom(102, 103, 110, 199), { maxLength: 6 })
  .map((statuses) => statuses.map((code) => `HTTP/1.1 ${code} Early\r\nlink: </x>; rel=preload\r\n\r\n`).join(''));

/** A complete answer that an HTTP client must understand. */
export interface WholeAnswer extends Script {
  status: number;
  answer: Body['answer'];
}

export function wholeAnswer(operation: Operation, mark: string): fc.Arbitrary<WholeAnswer> {
  return fc
    .record({
      early: informational,
      status,
      reason: fc.constantFrom('OK', '', 'Ungültig', '200 OK'),
      headers,
      body: bodyOf(operation, mark),
      framing: fc.constantFrom<'length' | 'chunked' | 'close'>('length', 'chunked', 'close'),
      cuts: fc.array(fc.nat({ max: 600 }), { maxLength: 5 }),
    })
    .map(({ early, status, reason, headers, body, framing, cuts }) => {
      const bytes = status === 204 || status === 304 ? Buffer.alloc(0) : body.bytes;
      const framed = {
        length: [`content-length: ${bytes.length}`],
        chunked: ['transfer-encoding: chunked'],
        close: [],
      };
      const lines = [`HTTP/1.1 ${status} ${reason}`, ...headers, ...framed[framing], '', ''];
      const head = Buffer.from(early + lines.join('\r\n'), 'latin1');
      const message = Buffer.concat([head, framing === 'chunked' ? chunked(bytes) : bytes]);
      return {
        pieces: cut(message, cuts),
        pauseMs: 0,
        ending: framing === 'close' ? ('end' as const) : ('stay' as const),
        status,
        answer: body.answer,
      };
    });
}

function chunked(bytes: Buffer): Buffer {
  const half = Math.floor(bytes.length / 2);
  const parts = [bytes.subarray(0, half), bytes.subarray(half)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part) => [text(`${part.length.toString(16)};ext=1\r\n`), part, text('\r\n')]);
  return Buffer.concat([...chunks, text('0\r\n\r\n')]);
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

const GARBAGE = [
  ...[
    '',
    '\r\n\r\n',
    'HTTP/1.1',
    'HTTP/1.1 200',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
  ],
  ...[
    'HTTP/1.1 000 No\r\n\r\n',
    'HTTP/1.1 099 No\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 -1 No\r\n\r\n',
    'HTTP/9.9 200 OK\r\n\r\n',
  ],
  ...[
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  ],
  ...[
    'HTTP/1.1 200 OK\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
    'HTTP/1.1 200 OK\nsome: thing\n\n{}',
    'ICY 200 OK\r\n\r\n{}',
  ],
  ...[
    'HTTP/0.9 200 OK\r\n\r\n',
    '{"action":"approved"}',
    '<html>',
    'SSH-2.0-OpenSSH_9.6\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ],
  ...[
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: no name\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
  ],
  ...[
    'HTTP/1.1 200 OK\r\na\0b: c\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded\r\n\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}\r\n\r\n{}`,
  ],
  ...[`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}\r\n{}`, 'HTTP/1.1 102 Storm\r\n\r\n'.repeat(3_000)],
];

const FRAMINGS = [
  ...[
    'content-length: 5\r\ncontent-length: 7',
    'content-length: 5\r\ncontent-length: 5',
    'content-length: 1, 2',
    'content-length: -1',
  ],
  ...[
    'content-length: 1e3',
    'content-length: 0x10',
    'content-length: 99999999999999999999999',
    'content-length: 1048577',
  ],
  ...[
    'content-length: 4000000000',
    'content-length: 0',
    'content-length: 1',
    'content-length:',
    'content-length: 100000',
  ],
  ...[
    'transfer-encoding: chunked\r\ncontent-length: 3',
    'transfer-encoding: gzip, chunked',
    'transfer-encoding: chunked, gzip',
  ],
  ...['transfer-encoding: identity', 'transfer-encoding: chunked', 'transfer-encoding: Chunked, chunked'],
];

const CHUNKS = [
  'zz\r\n',
  '5\r\n{}',
  'ffffffffffffffff\r\n{}\r\n',
  '-1\r\n',
  '2\r\n{}\r\n0\r\nbad trailer\r\n\r\n',
  '2\r\n{}x0\r\n\r\n',
  '2;\0\r\n{}',
];

/** Any bytes at all. */
export function hostileAnswer(operation: Operation, mark: string): fc.Arbitrary<Script> {
  const badlyFramed = fc
    .record({
      status,
      headers,
      framing: fc.constantFrom(...FRAMINGS),
      body: bodyOf(operation, mark),
      chunks: fc.constantFrom('', ...CHUNKS),
    })
    .map(({ status, headers, framing, body, chunks }) =>
      Buffer.concat([
        Buffer.from(`HTTP/1.1 ${status} X\r\n${[...headers, framing].join('\r\n')}\r\n\r\n${chunks}`, 'latin1'),
        body.bytes,
      ]),
    );
  const whole = wholeAnswer(operation, mark).map(({ pieces }) => Buffer.concat(pieces));
  const truncated = fc
    .tuple(whole, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([bytes, share]) => bytes.subarray(0, Math.floor(bytes.length * share)));
  const spoilt = fc
    .tuple(
      whole,
      fc.array(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })), { minLength: 1, maxLength: 6 }),
    )
    .map(([bytes, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, change] of changes)
        copy.set(change.subarray(0, copy.length - (at % copy.length)), at % copy.length);
      return copy;
    });
  // A second answer without a request.
  const twice = fc.tuple(whole, whole).map((both) => Buffer.concat(both));
  const bytes = fc.oneof(
    badlyFramed,
    truncated,
    spoilt,
    twice,
    fc.constantFrom(...GARBAGE).map((garbage) => Buffer.from(garbage, 'latin1')),
    fc.uint8Array({ maxLength: 500 }).map((garbage) => Buffer.from(garbage)),
  );
  return fc
    .record({
      bytes,
      cuts: fc.array(fc.nat({ max: 600 }), { maxLength: 5 }),
      pauseMs: fc.constantFrom(0, 0, 0, 1, 5, 60),
      // A connection that stays open costs a whole timeout.
      ending: fc.constantFrom<Script['ending']>('end', 'end', 'end', 'destroy', 'destroy', 'stay'),
    })
    .map(({ bytes, cuts, ...rest }) => ({ ...rest, pieces: cut(bytes, cuts) }));
}
