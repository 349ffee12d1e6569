import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';

let simulator: IncodeSimulator;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ timeScale: 0.01 });
});
afterAll(() => simulator.close());

const START = { configurationId: 'flow-1', countryCode: 'ALL', language: 'en-US' };
const IMAGE = { base64Image: Buffer.from('a picture').toString('base64') };

const start = async (more: object = {}) => (await call(simulator, '/omni/start', { body: { ...START, ...more } })).body;
const post = async (path: string, token: string, body: unknown = {}) =>
  (await call(simulator, path, { token, body })).body;
const get = async (path: string, token: string) => (await call(simulator, path, { token })).body;
const statusOf = (interviewId: string) => simulator.session(interviewId).onboardingStatus;

async function logIn(): Promise<string> {
  const body = { email: 'clerk@example.com', password: 'a password' };
  return (await call(simulator, '/executive/log-in', { body })).body.token;
}

it('a foreign client completes the whole process from start to approval', async () => {
  const { interviewId, token } = await start({ externalCustomerId: 'customer-1' });
  expect(statusOf(interviewId)).toBe('UNKNOWN');

  expect(await post('/omni/add/front-id/v2', token, IMAGE)).toMatchObject({ failReason: null, sessionStatus: 'Alive' });
  expect(await post('/omni/add/back-id/v2', token, IMAGE)).toMatchObject({ failReason: null });
  expect(await get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token)).toEqual({ finished: false });
  expect(await post('/omni/process/id', token)).toEqual({ success: true });
  expect(statusOf(interviewId)).toMatch(/^(ID_VALIDATION|POST_PROCESSING)_FINISHED$/);
  await expect.poll(() => get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token)).toEqual({ finished: true });
  await expect.poll(() => statusOf(interviewId)).toBe('POST_PROCESSING_FINISHED');

  expect(await post('/omni/add/face/third-party?imageType=selfie', token, IMAGE)).toMatchObject({ confidence: 0 });
  expect(await post('/omni/process/face', token)).toMatchObject({ confidence: 1, existingUser: false });
  expect(statusOf(interviewId)).toBe('FACE_VALIDATION_FINISHED');
  await post('/omni/process/government-validation', token);
  expect(statusOf(interviewId)).toBe('GOVERNMENT_VALIDATION_FINISHED');

  expect(await get('/omni/finish-status', token)).toEqual({
    action: 'approved',
    redirectionUrl: '',
    scoreStatus: 'OK',
  });
  expect(statusOf(interviewId)).toBe('ONBOARDING_FINISHED');
  expect((await get(`/omni/get/score?id=${interviewId}`, token)).overall).toEqual({ value: '94.6', status: 'OK' });
  for (const version of ['', '/v2']) {
    const ocr = await get(`/omni/get/ocr-data${version}?id=${interviewId}`, token);
    expect(version === '' ? ocr : ocr.ocrData).toMatchObject({ name: { fullName: expect.any(String) } });
  }

  const executive = await logIn();
  const approved = await post(`/omni/process/approve?interviewId=${interviewId}`, executive);
  expect(approved).toMatchObject({ success: true, uuid: expect.any(String), totalScore: '94.6' });
  expect(simulator.effects(interviewId)).toEqual({ finished: 1, closed: 0, approved: 1 });
});

describe('start', () => {
  it('opens a new session with every call', async () => {
    const first = await start();
    const second = await start();
    expect(first).toMatchObject({
      interviewId: expect.stringMatching(/^[0-9a-f]{24}$/),
      interviewCode: expect.any(String),
      flowType: 'flow',
      env: expect.any(String),
      existingSession: false,
    });
    expect(second.interviewId).not.toBe(first.interviewId);
  });

  it('issues another token for an existing session and keeps the old one valid', async () => {
    const { interviewId, token } = await start();
    const again = await start({ interviewId });
    expect(again).toMatchObject({ interviewId, existingSession: true });
    expect(again.token).not.toBe(token);
    for (const each of [token, again.token]) {
      expect(await get(`/omni/get/onboarding/status?id=${interviewId}`, each)).toEqual({ onboardingStatus: 'UNKNOWN' });
    }
  });

  it('refuses an unknown interviewId', async () => {
    const body = { ...START, interviewId: 'f'.repeat(24) };
    expect((await call(simulator, '/omni/start', { body })).status).toBe(404);
  });

  it('requires a configurationId', async () => {
    const { status, body } = await call(simulator, '/omni/start', { body: { ...START, configurationId: undefined } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 400, message: 'configurationId is required', path: '/omni/start' });
  });

  it('needs neither countryCode nor language, and no configurationId with an interviewId', async () => {
    const { status, body } = await call(simulator, '/omni/start', { body: { configurationId: 'flow-1' } });
    expect(status).toBe(200);
    const { interviewId } = body;
    const again = await call(simulator, '/omni/start', { body: { interviewId } });
    expect(again).toMatchObject({ status: 200, body: { interviewId, existingSession: true } });
  });

  it('requires the API key and no token', async () => {
    expect((await call(simulator, '/omni/start', { body: START, apiKey: 'wrong' })).status).toBe(403);
  });

  it.each([
    ['approved', 'approved', 'OK'],
    ['rejected', 'rejected', 'FAIL'],
    ['undecided', 'none', 'UNKNOWN'],
    ['review', 'none', 'WARN'],
  ])('customFields.simulate %s makes the action %s and the score %s', async (simulate, action, status) => {
    const { interviewId, token } = await start({ customFields: { simulate } });
    expect((await get('/omni/finish-status', token)).action).toBe(action);
    expect((await get(`/omni/get/score?id=${interviewId}`, token)).overall.status).toBe(status);
  });

  it.each([
    ['reviewApproved', 'MANUAL_OK', 'MANUAL_REVIEW_APPROVED'],
    ['reviewRejected', 'MANUAL_FAIL', 'MANUAL_REVIEW_REJECTED'],
  ])('customFields.simulate %s waits for a person', async (simulate, status, onboardingStatus) => {
    const { interviewId, token } = await start({ customFields: { simulate } });
    await get('/omni/finish-status', token);
    await expect.poll(() => statusOf(interviewId)).toBe(onboardingStatus);
    expect((await get(`/omni/get/score?id=${interviewId}`, token)).overall.status).toBe(status);
  });

  it.each(['unknown', 'constructor'])('refuses customFields.simulate "%s"', async (simulate) => {
    const body = { ...START, customFields: { simulate } };
    expect((await call(simulator, '/omni/start', { body })).status).toBe(400);
  });
});

describe('images', () => {
  it('refuses unreadable images with a failReason, and unreadable selfies with a code', async () => {
    const { token } = await start();
    const body = { base64Image: '' };
    for (const side of ['front', 'back']) {
      const { status, body: answer } = await call(simulator, `/omni/add/${side}-id/v2`, { token, body });
      expect({ status, failReason: answer.failReason }).toEqual({ status: 200, failReason: expect.any(String) });
    }
    expect(await post('/omni/add/face/third-party?imageType=selfie', token, body)).toMatchObject({ status: 4019 });
  });

  it('refuses to process images before they are added', async () => {
    const { token } = await start();
    for (const what of ['id', 'face', 'government-validation']) {
      expect((await call(simulator, `/omni/process/${what}`, { token, body: {} })).status).toBe(400);
    }
  });

  it('processes images without a request body too', async () => {
    const { token } = await start();
    await post('/omni/add/front-id/v2', token, IMAGE);
    expect((await call(simulator, '/omni/process/id', { token, method: 'POST' })).body).toEqual({ success: true });
  });

  it('processing images does not replace a later milestone', async () => {
    const { interviewId, token } = await start();
    await post('/omni/add/front-id/v2', token, IMAGE);
    await get('/omni/finish-status', token);
    await post('/omni/process/id', token);
    await expect
      .poll(() => get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token))
      .toEqual({ finished: true });
    expect(statusOf(interviewId)).toBe('ONBOARDING_FINISHED');
    simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await post('/omni/process/government-validation', token);
    expect(statusOf(interviewId)).toBe('MANUAL_REVIEW_APPROVED');
  });

  it('a session that was opened directly needs no images', async () => {
    const { interviewId, token } = await simulator.openSession();
    expect(await get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token)).toEqual({ finished: true });
  });

  it('a session that was opened directly is processed when the test says so', async () => {
    const { interviewId, token } = await simulator.openSession({ processedAfterMs: Number.POSITIVE_INFINITY });
    expect(await get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token)).toEqual({ finished: false });
    simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    expect(await get(`/omni/get/postprocess/isfinished?id=${interviewId}`, token)).toEqual({ finished: true });
    const soon = await simulator.openSession({ processedAfterMs: 50 });
    await expect.poll(() => statusOf(soon.interviewId)).toBe('POST_PROCESSING_FINISHED');
  });
});

describe('executive tokens', () => {
  it('an executive token gives access to any session', async () => {
    const { interviewId } = await start();
    const executive = await logIn();
    expect((await get(`/omni/get/score?id=${interviewId}`, executive)).overall).toEqual({ status: 'UNKNOWN' });
  });

  it('refuses an executive token for an unknown session', async () => {
    const token = await logIn();
    expect((await call(simulator, `/omni/get/score?id=${'f'.repeat(24)}`, { token })).status).toBe(404);
  });

  it('an executive token requires email and password', async () => {
    expect((await call(simulator, '/executive/log-in', { body: { email: 'clerk@example.com' } })).status).toBe(400);
  });

  it('refuses to approve a session with a session token', async () => {
    const { interviewId, token } = await start();
    const path = `/omni/process/approve?interviewId=${interviewId}`;
    expect((await call(simulator, path, { token, body: {} })).status).toBe(401);
  });

  it('an approval of a session that cannot be approved is answered 200 with success: false', async () => {
    const { interviewId, token } = await start({ customFields: { simulate: 'rejected' } });
    const path = `/omni/process/approve?interviewId=${interviewId}`;
    const executive = await logIn();
    expect(await post(path, executive)).toMatchObject({ success: false });
    await get('/omni/finish-status', token);
    expect(await post(path, executive)).toMatchObject({ success: false });
    expect(simulator.effects(interviewId).approved).toBe(0);
  });
});
