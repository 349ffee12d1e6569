import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { jpeg, png } from '../support/images.js';
import { call, digestOf } from './simulator-client.js';

let simulator: IncodeSimulator;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ timeScale: 0.01 });
});
afterAll(() => simulator.close());

const FRONT = jpeg({ width: 1_600, height: 1_000, content: 'front' });
const BACK = jpeg({ width: 1_600, height: 1_000, content: 'back' });
const SELFIE = png({ width: 1_000, height: 1_000 });

const PATHS = {
  front: '/omni/add/front-id/v2',
  back: '/omni/add/back-id/v2',
  face: '/omni/add/face/third-party?imageType=selfie',
};

async function start(fields: object = {}): Promise<{ interviewId: string; token: string }> {
  return (await call(simulator, '/omni/start', { body: { configurationId: 'flow-1', ...fields } })).body;
}

const post = async (token: string, path: string, body: unknown = {}) => {
  const answer = await call(simulator, path, { token, body });
  return { status: answer.status, body: answer.body };
};
const add = (token: string, part: keyof typeof PATHS, image: Buffer, query = '') =>
  post(token, `${PATHS[part]}${query}`, { base64Image: image.toString('base64') });

async function startWithImages(fields: object = {}) {
  const session = await start(fields);
  await add(session.token, 'front', FRONT);
  await add(session.token, 'back', BACK);
  await add(session.token, 'face', SELFIE);
  return session;
}

async function executive(): Promise<string> {
  const body = { email: 'clerk@example.com', password: 'a password' };
  return (await call(simulator, '/executive/log-in', { body })).body.token;
}

describe('uploads', () => {
  it('lists digest, size, type and attempt of each image, without the image', async () => {
    const { interviewId, token } = await start();
    await add(token, 'front', FRONT);
    await add(token, 'front', FRONT, '?retry=true&captureType=UPLOAD');
    await add(token, 'face', SELFIE);
    const { uploads, attempts } = simulator.captures(interviewId);
    const common = { at: expect.any(Number), failReason: null, code: null };
    const front = { ...common, part: 'front', sha256: digestOf(FRONT), bytes: FRONT.length, type: 'jpeg' };
    expect(uploads).toEqual([
      { ...front, attempt: 1, retry: false, captureType: null, width: 1_600, height: 1_000 },
      { ...front, attempt: 2, retry: true, captureType: 'UPLOAD', width: 1_600, height: 1_000 },
      {
        ...common,
        part: 'face',
        attempt: 1,
        retry: false,
        captureType: null,
        sha256: digestOf(SELFIE),
        bytes: SELFIE.length,
        type: 'png',
        width: 1_000,
        height: 1_000,
      },
    ]);
    expect(attempts).toEqual({ front: 2, back: 0, face: 1 });
  });

  it('keeps the newest 50 uploads of a session', async () => {
    const { interviewId, token } = await start();
    for (let i = 0; i < 52; i++) await add(token, 'front', FRONT);
    const { uploads, attempts } = simulator.captures(interviewId);
    expect(uploads).toHaveLength(50);
    expect([uploads[0]?.attempt, attempts.front]).toEqual([3, 52]);
  });

  it('accepts the bytes of an image without base64', async () => {
    const { interviewId, token } = await start();
    const response = await fetch(`${simulator.url}/omni/add/front-id`, {
      method: 'POST',
      headers: {
        'content-type': 'image/jpeg',
        'api-version': '1.0',
        'x-api-key': simulator.apiKey,
        'x-incode-hardware-id': token,
      },
      body: new Uint8Array(FRONT),
    });
    expect(await response.json()).toMatchObject({ failReason: null, typeOfId: 'IdentificationCard' });
    expect(simulator.captures(interviewId).uploads).toMatchObject([{ part: 'front', sha256: digestOf(FRONT) }]);
  });

  it('refuses an image with less than 1,000 pixels on both sides with code 3008', async () => {
    const { token } = await start();
    for (const part of ['front', 'face'] as const) {
      for (const image of [png({ width: 999, height: 999 }), jpeg({ width: 640, height: 480 })]) {
        expect(await add(token, part, image)).toMatchObject({ status: 400, body: { status: 3008 } });
      }
    }
  });

  it('refuses a selfie that cannot be read with code 4019, and an ID with a failReason', async () => {
    const { interviewId, token } = await start();
    expect(await add(token, 'face', Buffer.alloc(0))).toMatchObject({ status: 400, body: { status: 4019 } });
    const front = await add(token, 'front', Buffer.alloc(0));
    expect(front).toMatchObject({ status: 200, body: { failReason: 'UNKNOWN_DOCUMENT_TYPE', readability: false } });
    expect(simulator.captures(interviewId).uploads).toEqual([]);
  });

  it('refuses a request of more than 10 MB', async () => {
    const { token } = await start();
    expect((await add(token, 'front', Buffer.alloc(7_500_001))).status).toBe(413);
    expect((await add(token, 'front', Buffer.alloc(7_499_000))).status).toBe(200);
  });

  it('refuses the back before the front', async () => {
    const { token } = await start();
    expect((await add(token, 'back', BACK)).status).toBe(400);
  });
});

describe('scripted answers', () => {
  it('changes the answer to one image', async () => {
    const bad = jpeg({ width: 1_200, height: 800, content: 'a blurred front' });
    simulator.script({
      operation: 'addFrontId',
      sha256: digestOf(bad),
      answer: { failReason: 'DOCUMENT_NOT_READABLE', sharpness: 7 },
      omit: ['glare'],
    });
    const { interviewId, token } = await start();
    for (let i = 0; i < 2; i++) {
      const { status, body } = await add(token, 'front', bad);
      expect({ status, ...body }).toMatchObject({
        status: 200,
        failReason: 'DOCUMENT_NOT_READABLE',
        sharpness: 7,
        readability: false,
      });
      expect(body).not.toHaveProperty('glare');
    }
    expect((await add(token, 'front', FRONT)).body.failReason).toBeNull();
    // A refused picture does not block the session.
    const failReasons = simulator.captures(interviewId).uploads.map(({ failReason }) => failReason);
    expect(failReasons).toEqual(['DOCUMENT_NOT_READABLE', 'DOCUMENT_NOT_READABLE', null]);
  });

  it.each([
    ['addFrontId', 'front', 1003],
    ['addFace', 'face', 4019],
    ['addFace', 'face', 4005],
  ] as const)('%s answers with an error code, and without a message', async (operation, part, code) => {
    const externalCustomerId = `code-${operation}-${code}`;
    simulator.script({ operation, externalCustomerId, code, message: null });
    const { interviewId, token } = await start({ externalCustomerId });
    const { status, body } = await add(token, part, SELFIE);
    expect({ status, code: body.status }).toEqual({ status: 400, code });
    expect(body).not.toHaveProperty('message');
    expect(simulator.captures(interviewId).uploads).toMatchObject([{ part, code, failReason: null }]);
  });

  it('makes a passport, which needs no back', async () => {
    const externalCustomerId = 'passport';
    const answer = { typeOfId: 'Passport', skipBackIdCapture: true };
    simulator.script({ operation: 'addFrontId', externalCustomerId, answer });
    const { token } = await start({ externalCustomerId });
    expect((await add(token, 'front', FRONT)).body).toMatchObject({ ...answer, failReason: null });
    expect((await post(token, '/omni/process/id')).status).toBe(200);
    // Without a back, a new front is enough to process it again.
    expect((await post(token, '/omni/process/id')).status).toBe(400);
    await add(token, 'front', FRONT);
    expect((await post(token, '/omni/process/id')).status).toBe(200);
  });

  it('makes spoofed selfies, other people and failed registries', async () => {
    const { interviewId, token } = await start();
    simulator.script({ operation: 'addFace', interviewId, answer: { confidence: 1 } });
    simulator.script({ operation: 'processFace', interviewId, answer: { confidence: 0.2, existingUser: true } });
    simulator.script({ operation: 'governmentValidation', interviewId, answer: { valid: false, statusCode: 4 } });
    simulator.script({ operation: 'watchlist', interviewId, omit: ['content'] });
    await add(token, 'front', FRONT);
    expect((await add(token, 'face', SELFIE)).body.confidence).toBe(1);
    expect((await post(token, '/omni/process/face')).body).toMatchObject({ confidence: 0.2, existingUser: true });
    const government = await post(token, '/omni/process/government-validation');
    expect(government.body).toMatchObject({ valid: false, statusCode: 4 });
    expect((await post(token, '/omni/process/global-watchlist')).body).toEqual({ status: 'success' });
  });

  it('applies to the selected calls only, and to none after clearScripts', async () => {
    await using own = await startIncodeSimulator();
    const { token } = (await call(own, '/omni/start', { body: { configurationId: 'f' } })).body;
    const failReason = async () =>
      (await call(own, PATHS.front, { token, body: { base64Image: 'QUJD' } })).body.failReason;
    own.script({ operation: 'addFrontId', skip: 1, times: 1, answer: { failReason: 'WRONG_DOCUMENT_SIDE' } });
    expect([await failReason(), await failReason(), await failReason()]).toEqual([null, 'WRONG_DOCUMENT_SIDE', null]);
    own.script({ operation: 'addFrontId', answer: { failReason: 'WRONG_DOCUMENT_SIDE' } });
    own.clearScripts();
    expect(await failReason()).toBeNull();
  });

  it.each([
    ['answer.operation', { operation: 'score' }],
    ['answer.sha256', { operation: 'addFace', sha256: 'AB' }],
    ['answer.failReason', { operation: 'addFace', failReason: 'X' }],
  ])('refuses an invalid %s', (part, answer) => {
    expect(() => simulator.script(answer as never)).toThrow(part);
  });
});

describe('process/id', () => {
  it('refuses a second request until both sides were uploaded again', async () => {
    const { interviewId, token } = await startWithImages();
    const processId = () => post(token, '/omni/process/id');
    expect(await processId()).toEqual({ status: 200, body: { success: true } });
    const refused = { status: 400, body: { message: expect.stringContaining('Id already processed') } };
    expect(await processId()).toMatchObject(refused);
    await add(token, 'front', FRONT, '?retry=true');
    expect(await processId()).toMatchObject(refused);
    await add(token, 'back', BACK, '?retry=true');
    expect((await processId()).status).toBe(200);
    expect(simulator.captures(interviewId).processed.id).toBe(2);
  });

  it('fails with 6000 until the ID was uploaded again', async () => {
    const { interviewId, token } = await startWithImages();
    simulator.script({ operation: 'processId', interviewId, code: 6000, times: 1 });
    const processId = () => post(token, '/omni/process/id');
    for (let i = 0; i < 2; i++) expect(await processId()).toMatchObject({ status: 400, body: { status: 6000 } });
    expect(simulator.session(interviewId).onboardingStatus).toBe('UNKNOWN');
    await add(token, 'front', FRONT);
    await add(token, 'back', BACK);
    expect((await processId()).status).toBe(200);
  });
});

describe('process/face', () => {
  it('does not work without an ID', async () => {
    const { token } = await start();
    await add(token, 'face', SELFIE);
    expect(await post(token, '/omni/process/face')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('front') },
    });
  });

  it('accepts a second request', async () => {
    const { interviewId, token } = await startWithImages();
    for (let i = 0; i < 2; i++) expect((await post(token, '/omni/process/face')).status).toBe(200);
    expect(simulator.captures(interviewId).processed.face).toBe(2);
  });
});

describe('score', () => {
  it('has before finish the sections of what was processed so far', async () => {
    const { interviewId, token } = await startWithImages();
    const sections = async () => {
      const { body } = await call(simulator, `/omni/get/score?id=${interviewId}&verbose=true`, { token });
      return [Object.keys(body).sort(), body.overall.status];
    };
    expect(await sections()).toEqual([['liveness', 'overall'], 'UNKNOWN']);
    await post(token, '/omni/process/id');
    await post(token, '/omni/process/face');
    await expect
      .poll(sections)
      .toEqual([['faceRecognition', 'idOcrConfidence', 'idValidation', 'liveness', 'overall'], 'UNKNOWN']);
    await call(simulator, '/omni/finish-status', { token });
    expect((await sections())[1]).toBe('OK');
  });

  it('has more checks with verbose=true', async () => {
    const { token } = await start();
    await call(simulator, '/omni/finish-status', { token });
    const checks = async (query: string) =>
      JSON.stringify((await call(simulator, `/omni/get/score${query}`, { token })).body);
    expect(await checks('?verbose=true')).toContain('idAlreadyUsedCheck');
    expect(await checks('')).not.toContain('idAlreadyUsedCheck');
  });
});

describe('other data of a session', () => {
  it('keeps consents and custom fields', async () => {
    const { interviewId, token } = await start({ customFields: { branch: 'north' } });
    const text = { title: 'Terms', content: 'The terms', status: true };
    expect((await post(token, '/omni/add/user-consent', text)).body).toEqual({ success: true });
    expect((await post(token, '/omni/add/ml-consent', { status: true })).body).toEqual({ success: true });
    await post(token, '/omni/add/custom-fields', { customFields: { desk: '7' } });
    const customFields = { branch: 'north', desk: '7' };
    expect((await call(simulator, '/omni/get/custom-fields', { token })).body).toEqual({ customFields });
    expect(simulator.captures(interviewId)).toMatchObject({ consents: { user: true, ml: true }, customFields });
  });

  it('refuses custom fields that are too many, too long or no text', async () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`field${i}`, 'x']));
    for (const customFields of [many, { a: 'x'.repeat(1_001) }, { a: 1 }, ['a']]) {
      const body = { configurationId: 'f', customFields };
      expect((await call(simulator, '/omni/start', { body })).status).toBe(400);
    }
  });

  it('answers placeholders for the images that it has received', async () => {
    const { token } = await start();
    await add(token, 'face', SELFIE);
    const { body } = await post(token, '/omni/get/images', { images: ['selfie', 'fullFrameFrontID', 'constructor'] });
    expect(Object.keys(body)).toEqual(['selfie']);
  });

  it('answers OCR data under ocrData in version 2', async () => {
    const { interviewId, token } = await startWithImages();
    await post(token, '/omni/process/id');
    const ocr = async (version: string) =>
      (await call(simulator, `/omni/get/ocr-data${version}?id=${interviewId}`, { token })).body;
    await expect.poll(() => ocr('')).toHaveProperty('name');
    expect(await ocr('/v2')).toEqual({ ocrData: await ocr('') });
  });
});

describe('sessions of a reference', () => {
  it('lists every session that was opened for it, also if the answer was lost', async () => {
    const externalCustomerId = 'person-1';
    simulator.fault({ operation: 'start', externalCustomerId, kind: 'reset', effect: true });
    await expect(start({ externalCustomerId })).rejects.toThrow();
    const { interviewId } = await start({ externalCustomerId });
    const sessions = simulator.sessions(externalCustomerId);
    expect(sessions).toMatchObject([{ externalCustomerId }, { externalCustomerId, interviewId }]);
    const listed = await fetch(`${simulator.url}/_simulator/sessions?externalCustomerId=${externalCustomerId}`);
    expect(await listed.json()).toEqual({ sessions });
  });

  it('opens no session for a start that is lost before its effect', async () => {
    simulator.fault({ operation: 'start', externalCustomerId: 'person-2', kind: 'reset' });
    await expect(start({ externalCustomerId: 'person-2' })).rejects.toThrow();
    expect(simulator.sessions('person-2')).toEqual([]);
  });

  it('a fault for the reference of a person applies to each of their sessions, and to nobody else', async () => {
    const ids = ['person-4~0123456789ab', 'person-4~ba9876543210', 'person-44~0123456789ab'];
    simulator.fault({ operation: 'start', externalCustomerId: 'person-4', kind: 'status', status: 503, times: 2 });
    const statuses: number[] = [];
    for (const externalCustomerId of ids) {
      const body = { configurationId: 'flow-1', externalCustomerId };
      statuses.push((await call(simulator, '/omni/start', { body })).status);
    }
    expect(statuses).toEqual([503, 503, 200]);
    expect(simulator.calls.slice(-3).map(({ externalCustomerId }) => externalCustomerId)).toEqual(ids);
  });

  it('finds them with an executive token, newest first and in pages', async () => {
    const externalCustomerId = 'person-3';
    const first = await start({ externalCustomerId });
    const second = await start({ externalCustomerId });
    const token = await executive();
    const search = async (query: string) =>
      (await post(token, `/omni/validation-results/search/v2?${query}`, { externalCustomerId })).body.interviews;
    expect(await search('offset=0&limit=20&avoidCounting=true')).toMatchObject([
      { id: second.interviewId, externalCustomerId },
      { id: first.interviewId, externalCustomerId },
    ]);
    expect(await search('offset=1&limit=1')).toMatchObject([{ id: first.interviewId }]);
    expect((await post(first.token, '/omni/validation-results/search/v2')).status).toBe(401);
  });
});

describe('deleting', () => {
  const remove = async (token: string, path: string, body?: unknown) =>
    (await call(simulator, path, { method: 'DELETE', token, ...(body === undefined ? {} : { body }) })).status;

  it('deletes sessions by id', async () => {
    const token = await executive();
    const { interviewId } = await start();
    const body = { filter: { ids: [interviewId] }, config: { sendNotification: false } };
    expect(await remove(token, '/omni/interviews', body)).toBe(200);
    expect(await remove(token, '/omni/interviews', body)).toBe(404);
    expect(() => simulator.session(interviewId)).toThrow('no session');
  });

  it('deletes only personal data', async () => {
    const { interviewId } = await startWithImages({ customFields: { name: 'x' } });
    const body = { filter: { ids: [interviewId] }, config: { deletePiiDataOnly: true } };
    expect(await remove(await executive(), '/omni/interviews', body)).toBe(200);
    expect(simulator.captures(interviewId)).toMatchObject({ uploads: [], customFields: {} });
  });

  it('needs an executive token, and a path without /0', async () => {
    const { interviewId, token } = await start();
    const body = { filter: { ids: [interviewId] } };
    expect(await remove(token, '/omni/interviews', body)).toBe(401);
    expect(await remove(await executive(), '/0/omni/interviews', body)).toBe(404);
  });
});

describe('the prefix /0', () => {
  it('reaches the calls with a session token, and finish-status by POST', async () => {
    const { interviewId, token } = await start();
    const status = await call(simulator, `/0/omni/get/onboarding/status?id=${interviewId}`, { token });
    expect(status.status).toBe(200);
    expect((await post(token, '/omni/finish-status')).status).toBe(405);
    expect((await post(token, '/0/omni/finish-status')).status).toBe(200);
    expect(simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('rate limits by class', () => {
  const limit = { perSecond: 0.001, burst: 1 };

  async function statusesOf(own: IncodeSimulator) {
    const { token } = await own.openSession();
    const body = { base64Image: 'QUJD' };
    const status = async (path: string, sent: unknown = body) =>
      (await call(own, path, { token, ...(sent === null ? {} : { body: sent }) })).status;
    return [
      await status(PATHS.front),
      await status(PATHS.back),
      await status(PATHS.face),
      await status('/omni/process/face', {}),
      await status('/omni/get/onboarding/status', null),
      await status('/omni/get/score', null),
    ];
  }

  it('limits documents, faces and all other calls separately', async () => {
    await using own = await startIncodeSimulator({ rateLimit: { documents: limit, faces: limit, others: limit } });
    expect(await statusesOf(own)).toEqual([200, 429, 200, 429, 200, 429]);
    own.setRateLimit({ documents: limit });
    expect(await statusesOf(own)).toEqual([200, 429, 200, 200, 200, 200]);
  });

  it('can limit each endpoint separately', async () => {
    const rateLimit = { documents: limit, faces: limit, others: limit, buckets: 'endpoint' as const };
    await using own = await startIncodeSimulator({ rateLimit });
    expect(await statusesOf(own)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await statusesOf(own)).toEqual([429, 429, 429, 429, 429, 429]);
  });

  it.each([
    ['rateLimit.burst', { documents: { perSecond: 1 } }],
    ['rateLimit.buckets', { buckets: 'other' }],
    ['rateLimit.document', { document: limit, faces: limit }],
  ])('refuses an invalid %s', (part, rateLimit) => {
    expect(() => simulator.setRateLimit(rateLimit as never)).toThrow(part);
  });
});
