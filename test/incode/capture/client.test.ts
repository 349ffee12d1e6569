import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  CAPTURE_CODES,
  type CaptureClient,
  type CaptureClientOptions,
  createCaptureClient,
  type IncodeCall,
  mayHaveTakenEffect,
} from '../../../src/incode/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../../src/testing/index.js';
import { serve } from '../../support/http.js';
import { jpeg, png } from '../../support/images.js';
import { API_KEY, failureOf, session, TOKEN } from '../../support/incode.js';

const IMAGE = jpeg({ content: 'CANARY' });

/** A client whose timeouts are far above what a test takes. */
function clientOf(baseUrl: string, options: Partial<CaptureClientOptions> = {}): CaptureClient {
  return createCaptureClient({ baseUrl, apiKey: API_KEY, timeoutMs: 30_000, ...options });
}

function simulator(options: Parameters<typeof startIncodeSimulator>[0] = {}): Promise<IncodeSimulator> {
  return startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.001, ...options });
}

async function opened(incode: IncodeSimulator) {
  const client = clientOf(incode.url);
  const { interviewId, token } = await client.start({ configurationId: 'flow', externalCustomerId: '4711' });
  return { client, access: { interviewId, sessionToken: token } };
}

describe('the calls in their order', () => {
  it('the calls in their order complete a session from its images', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    const accepted = { assessment: 'accepted', failReason: null, code: null, failedChecks: [] };
    const document = { ...accepted, typeOfId: 'IdentificationCard', hasNoBack: false, isDocumentExpired: false };
    expect(await client.addFrontId({ ...access, image: IMAGE })).toEqual(document);
    expect(await client.addBackId({ ...access, image: png(), retry: true })).toEqual(document);
    expect(await client.processId(access)).toEqual({ result: 'started', code: null });
    await expect.poll(() => client.isFinished(access)).toEqual({ finished: true });
    expect(await client.addFace({ ...access, image: IMAGE })).toEqual({ ...accepted, confidence: 0 });
    const match = { confidence: 1, existingUser: false, nameMatched: false, code: null };
    expect(await client.processFace(access)).toEqual(match);
    expect(await client.governmentValidation(access)).toEqual({ valid: true, statusCode: 0 });
    expect(await client.watchlist(access)).toEqual({ hits: 0 });
    const { uploads, processed } = incode.captures(access.interviewId);
    const digest = createHash('sha256').update(IMAGE).digest('hex');
    expect(uploads.map(({ part, retry, captureType }) => [part, retry, captureType])).toEqual([
      ['front', false, 'UPLOAD'],
      ['back', true, 'UPLOAD'],
      ['face', false, null],
    ]);
    expect(uploads[0]).toMatchObject({ sha256: digest, bytes: IMAGE.length });
    expect(processed).toEqual({ id: 1, face: 1, government: 1, watchlist: 1 });
  });

  it('start takes over a session that exists', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    const again = await client.start({ configurationId: 'flow', interviewId: access.interviewId });
    expect(again).toMatchObject({ interviewId: access.interviewId, existingSession: true });
  });

  it('deletes images, then the session, and says whether it existed', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    await client.addFrontId({ ...access, image: IMAGE });
    const { interviewId } = access;
    const executiveToken = await executiveTokenOf(incode);
    expect(await client.deleteImages({ interviewId, executiveToken })).toEqual({ existed: true });
    expect(incode.captures(interviewId).uploads).toEqual([]);
    expect(await client.deleteSession({ interviewId, executiveToken })).toEqual({ existed: true });
    expect(await client.deleteSession({ interviewId, executiveToken })).toEqual({ existed: false });
    expect(incode.sessions()).toEqual([]);
  });

  it('refuses a deletion with a session token', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    const { interviewId, sessionToken } = access;
    const error = await failureOf(client.deleteSession({ interviewId, executiveToken: sessionToken }));
    expect(error).toMatchObject({ kind: 'tokenRefused', operation: 'deleteSession' });
  });
});

async function executiveTokenOf({ url }: IncodeSimulator): Promise<string> {
  const response = await fetch(`${url}/executive/log-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'api-version': '1.0' },
    body: '{"email": "kyc@example.com", "password": "secret"}',
  });
  return ((await response.json()) as { token: string }).token;
}

describe('requests', () => {
  it.each<[string, (client: CaptureClient) => Promise<unknown>, string]>([
    [
      'addFrontId',
      (client) => client.addFrontId({ ...session, image: IMAGE }),
      'POST /omni/add/front-id/v2?captureType=UPLOAD&onlyFront=false',
    ],
    [
      'addFrontId of a document with one side',
      (client) => client.addFrontId({ ...session, image: IMAGE, onlyFront: true, retry: true }),
      'POST /omni/add/front-id/v2?captureType=UPLOAD&onlyFront=true&retry=true',
    ],
    [
      'addBackId',
      (client) => client.addBackId({ ...session, image: IMAGE, retry: false }),
      'POST /omni/add/back-id/v2?captureType=UPLOAD',
    ],
    [
      'addFace',
      (client) => client.addFace({ ...session, image: IMAGE }),
      'POST /omni/add/face/third-party?imageType=selfie',
    ],
    ['processId', (client) => client.processId(session), 'POST /omni/process/id'],
    ['isFinished', (client) => client.isFinished(session), 'GET /omni/get/postprocess/isfinished?id=interview%2F1'],
    ['processFace', (client) => client.processFace(session), 'POST /omni/process/face?imageType=selfie'],
    [
      'governmentValidation',
      (client) => client.governmentValidation(session),
      'POST /omni/process/government-validation',
    ],
    ['watchlist', (client) => client.watchlist(session), 'POST /omni/process/global-watchlist'],
    [
      'deleteSession',
      (client) => client.deleteSession({ interviewId: 'interview/1', executiveToken: TOKEN }),
      'DELETE /omni/interview?interviewId=interview%2F1',
    ],
    [
      'deleteImages',
      (client) => client.deleteImages({ interviewId: 'interview/1', executiveToken: TOKEN }),
      'DELETE /omni/interviews',
    ],
  ])('%s sends one request with all four required headers', async (_, call, line) => {
    await using server = await serve((request, response) => {
      request.resume().on('end', () => response.end('{"finished": true}'));
    });
    const calls: IncodeCall[] = [];
    await call(clientOf(server.url, { onCall: (completed) => calls.push(completed) }));
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([line]);
    expect(server.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'api-version': '1.0',
      'x-api-key': API_KEY,
      'x-incode-hardware-id': TOKEN,
    });
    expect(calls).toMatchObject([{ outcome: 'ok', httpStatus: 200 }]);
  });

  it.each([0, 1, 2, 3, 49_151, 49_152, 49_153, 7_499_925])(
    'sends an image of %i bytes unchanged, with its length',
    async (bytes) => {
      const image = Buffer.alloc(bytes, 'CANARY');
      await using server = await serve((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
          const body = Buffer.concat(chunks);
          const sent = Buffer.from(JSON.parse(body.toString()).base64Image, 'base64');
          const isWhole = sent.equals(image) && Number(request.headers['content-length']) === body.length;
          response.end(JSON.stringify({ confidence: 0, isBright: isWhole && body.length <= 10_000_000 }));
        });
      });
      // A part of a larger buffer, as files are often read.
      const view = Buffer.concat([Buffer.from('before'), image, Buffer.from('after')]).subarray(6, 6 + bytes);
      expect((await clientOf(server.url).addFace({ ...session, image: view })).assessment).toBe('accepted');
    },
  );

  it('does not hold the body of an upload in memory while the server reads it slowly', async () => {
    await using server = await serve(() => undefined);
    // Far above the buffers of the two sockets.
    const image = Buffer.alloc(100_000_000);
    const before = process.memoryUsage().rss;
    const cancelled = new AbortController();
    const call = failureOf(clientOf(server.url).addFace({ ...session, image }, { signal: cancelled.signal }));
    await expect.poll(() => server.requests.length).toBe(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
    cancelled.abort();
    expect((await call).kind).toBe('maybeRunning');
  });

  it('reports an upload that is not read to its end as maybeRunning, and uses no other connection for it', async () => {
    await using server = await serve((request) => request.socket.destroy());
    const error = await failureOf(clientOf(server.url).addFrontId({ ...session, image: Buffer.alloc(5_000_000) }));
    expect(error).toMatchObject({ kind: 'maybeRunning', operation: 'addFrontId' });
    expect(server.requests).toHaveLength(1);
  });

  it('limits uploads, start and processing by timeouts of their own', async () => {
    await using server = await serve(() => undefined);
    const client = clientOf(server.url, { uploadTimeoutMs: 50, processTimeoutMs: 60 });
    const calls = [
      client.addFace({ ...session, image: IMAGE }),
      client.processId(session),
      client.start({ configurationId: 'c' }),
    ];
    for (const call of calls) expect((await failureOf(call)).message).toContain('in time');
  });

  it.each([
    ['uploadTimeoutMs', { uploadTimeoutMs: 0 }],
    ['processTimeoutMs', { processTimeoutMs: Number.NaN }],
    ['connections', { connections: 1.5 }],
    ['baseUrl', { baseUrl: 'ftp://incode.example' }],
  ])('refuses an invalid %s and names it', (name, wrong) => {
    expect(() => clientOf('https://incode.example', wrong)).toThrow(new RegExp(`^${name} must `));
  });
});

describe('refused images', () => {
  it('a failReason is an answer', async () => {
    await using incode = await simulator();
    incode.script({ operation: 'addFrontId', answer: { failReason: 'WRONG_DOCUMENT_SIDE', name: 'CANARY' } });
    const { client, access } = await opened(incode);
    const answer = await client.addFrontId({ ...access, image: IMAGE });
    expect(answer).toMatchObject({ assessment: 'refused', failReason: 'WRONG_DOCUMENT_SIDE', code: null });
    expect(JSON.stringify(answer)).not.toContain('CANARY');
  });

  it.each([400, 422, 500] as const)('a code in an error with the status %i is an answer', async (imageErrorStatus) => {
    await using incode = await simulator({ behavior: { imageErrorStatus } });
    incode.script({ operation: 'addFace', code: CAPTURE_CODES.faceNotFound, message: null });
    incode.script({ operation: 'addBackId', code: CAPTURE_CODES.spoof });
    incode.script({ operation: 'processId', code: CAPTURE_CODES.processing });
    const { client, access } = await opened(incode);
    await client.addFrontId({ ...access, image: IMAGE });
    expect(await client.addBackId({ ...access, image: IMAGE })).toMatchObject({ assessment: 'refused', code: 4_005 });
    expect(await client.addFace({ ...access, image: IMAGE })).toMatchObject({ assessment: 'refused', code: 4_019 });
    expect(await client.processId(access)).toEqual({ result: 'failed', code: 6_000 });
  });

  it('an image with too few pixels is refused', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    const small = { ...access, image: jpeg({ width: 640, height: 480 }) };
    expect(await client.addFrontId(small)).toMatchObject({ assessment: 'refused', code: CAPTURE_CODES.imageSize });
    incode.setBehavior({ smallImage: 'failReason' });
    expect(await client.addFrontId(small)).toMatchObject({ failReason: 'DOCUMENT_NOT_READABLE' });
  });

  it('a spoofed selfie is refused', async () => {
    await using incode = await simulator();
    incode.script({ operation: 'addFace', answer: { confidence: 1 } });
    const { client, access } = await opened(incode);
    const answer = await client.addFace({ ...access, image: IMAGE });
    expect(answer).toMatchObject({ assessment: 'refused', confidence: 1, failedChecks: ['liveness'] });
  });

  it('a passport has no back', async () => {
    await using incode = await simulator();
    incode.script({ operation: 'addFrontId', answer: { typeOfId: 'Passport' } });
    const { client, access } = await opened(incode);
    expect((await client.addFrontId({ ...access, image: IMAGE })).hasNoBack).toBe(true);
    incode.clearScripts();
    incode.script({ operation: 'addFrontId', answer: { skipBackIdCapture: true }, omit: ['typeOfId'] });
    expect(await client.addFrontId({ ...access, image: IMAGE })).toMatchObject({ hasNoBack: true, typeOfId: null });
  });
});

describe('a second process/id', () => {
  it.each([
    ['refused', 400],
    ['refused', 409],
    ['refused', 500],
    ['parseError', 400],
    ['parseError', 500],
  ] as const)(
    'is reported as alreadyProcessed if Incode answers "%s" with %i',
    async (secondProcessId, secondProcessIdStatus) => {
      await using incode = await simulator({ behavior: { secondProcessId, secondProcessIdStatus } });
      const { client, access } = await opened(incode);
      await client.addFrontId({ ...access, image: IMAGE });
      await client.processId(access);
      expect(await client.processId(access)).toEqual({ result: 'alreadyProcessed', code: null });
      expect(incode.captures(access.interviewId).processed.id).toBe(1);
    },
  );

  it('treats a missing front as a refusal for good', async () => {
    await using incode = await simulator();
    const { client, access } = await opened(incode);
    const error = await failureOf(client.processId(access));
    expect(error).toMatchObject({ kind: 'badRequest', operation: 'processId', httpStatus: 400, code: undefined });
  });
});

describe('a failed start', () => {
  it.each([
    ['reset before its effect', { kind: 'reset' }, true],
    ['reset after its effect', { kind: 'reset', effect: true }, true],
    ['answered 200 in part', { kind: 'truncated' }, true],
    ['answered 200 without an id', { kind: 'body', body: '{"token": "t"}' }, true],
    ['answered 500', { kind: 'status', status: 500 }, true],
    ['answered 503', { kind: 'status', status: 503, effect: true }, true],
    ['answered 400', { kind: 'status', status: 400 }, false],
    ['answered 429', { kind: 'status', status: 429 }, false],
    ['answered 403', { kind: 'status', status: 403, body: 'html' }, false],
  ] as const)('a failed start that is %s may have opened a session: %s', async (_, fault, expected) => {
    await using incode = await simulator();
    incode.fault({ operation: 'start', ...fault });
    const error = await failureOf(clientOf(incode.url).start({ configurationId: 'flow' }));
    expect(mayHaveTakenEffect(error)).toBe(expected);
    if (!expected) expect(incode.sessions()).toEqual([]);
  });

  it('a failed start that could not be sent opened no session', async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    const client = clientOf(server.url);
    expect(mayHaveTakenEffect(await failureOf(client.start({ configurationId: 'flow' })))).toBe(false);
    const withheld = client.start({ configurationId: 'flow' }, { mayStillSend: () => false });
    expect(mayHaveTakenEffect(await failureOf(withheld))).toBe(false);
  });
});

describe('foreign answers', () => {
  const CALLS: [string, (client: CaptureClient) => Promise<unknown>][] = [
    ['addFrontId', (client) => client.addFrontId({ ...session, image: IMAGE })],
    ['addBackId', (client) => client.addBackId({ ...session, image: IMAGE })],
    ['addFace', (client) => client.addFace({ ...session, image: IMAGE })],
    ['processId', (client) => client.processId(session)],
    ['processFace', (client) => client.processFace(session)],
    ['governmentValidation', (client) => client.governmentValidation(session)],
    ['watchlist', (client) => client.watchlist(session)],
  ];

  async function answeredWith(
    status: number,
    body: string | Buffer,
    call: (client: CaptureClient) => Promise<unknown>,
  ) {
    await using server = await serve((request, response) => {
      request.resume().on('end', () => {
        response.statusCode = status;
        response.end(body);
      });
    });
    const client = clientOf(server.url);
    try {
      return await failureOf(call(client));
    } finally {
      await client.close();
    }
  }

  it.each(CALLS)('%s reports a 200 that is no answer as resultUnknown', async (operation, call) => {
    const oversize = `{"confidence": 0, "x": "${'x'.repeat(1_100_000)}"}`;
    for (const body of ['', '[]', 'null', '<html>', '{"timestamp": 1, "status": 500, "error": "CANARY"}', oversize]) {
      const error = await answeredWith(200, body, call);
      expect(error).toMatchObject({ kind: 'resultUnknown', operation, httpStatus: 200 });
      expect(error.message).not.toContain('CANARY');
    }
  });

  it.each(CALLS)('%s throws an error without the text of the answer', async (operation, call) => {
    for (const status of [401, 403, 404, 429, 500, 502, 503]) {
      const message = `CANARY ${IMAGE.toString('base64').slice(0, 40)}`;
      const error = await answeredWith(status, JSON.stringify({ timestamp: 1, status, error: 'E', message }), call);
      expect(error).toMatchObject({ operation, httpStatus: status });
      expect(JSON.stringify(error) + error.stack).not.toContain('CANARY');
    }
  });
});
