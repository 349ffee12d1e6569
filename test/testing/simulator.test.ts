import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';

let simulator: IncodeSimulator;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ timeScale: 0.001 });
});
afterAll(() => simulator.close());

const FINISH = '/omni/finish-status';

describe('finish-status', () => {
  it('answers with the action and the redirection URL', async () => {
    const { token } = await simulator.openSession({ action: 'rejected', redirectionUrl: 'https://example.com/done' });
    const { status, body } = await call(simulator, FINISH, { token });
    expect({ status, body }).toEqual({
      status: 200,
      body: { action: 'rejected', redirectionUrl: 'https://example.com/done', scoreStatus: 'OK' },
    });
  });

  it('sets the status to ONBOARDING_FINISHED', async () => {
    const { interviewId, token } = await simulator.openSession({ onboardingStatus: 'FACE_VALIDATION_FINISHED' });
    await call(simulator, FINISH, { token });
    const { body } = await call(simulator, `/omni/get/onboarding/status?id=${interviewId}`, { token });
    expect(body).toEqual({ onboardingStatus: 'ONBOARDING_FINISHED' });
  });

  it('takes effect again if it is repeated', async () => {
    const { interviewId, token } = await simulator.openSession();
    await call(simulator, FINISH, { token });
    await call(simulator, FINISH, { token });
    expect(simulator.effects(interviewId)).toEqual({ finished: 2, closed: 0, approved: 0 });
  });

  it('keeps the flowId', async () => {
    const { interviewId, token } = await simulator.openSession();
    await call(simulator, `${FINISH}?flowId=flow-7`, { token });
    expect(simulator.session(interviewId).flowId).toBe('flow-7');
  });

  it('refuses an expired session', async () => {
    const { interviewId, token } = await simulator.openSession({ onboardingStatus: 'EXPIRED' });
    expect((await call(simulator, FINISH, { token })).status).toBe(400);
    expect(simulator.effects(interviewId).finished).toBe(0);
  });
});

describe('refusals', () => {
  it('a refusal has the error body of Incode', async () => {
    const { status, body } = await call(simulator, FINISH, { apiKey: 'wrong' });
    expect(status).toBe(403);
    expect(body).toEqual({
      timestamp: expect.any(Number),
      status: 403,
      error: 'Forbidden',
      message: expect.any(String),
      path: FINISH,
    });
  });

  it.each([
    ['the API key before the token', { apiKey: null, token: 'wrong' }, 403],
    ['the token before the method', { method: 'POST', token: 'wrong', body: {} }, 401],
    ['no token at all', {}, 401],
  ])('the simulator refuses a request by %s', async (_, sent, status) => {
    expect((await call(simulator, FINISH, sent)).status).toBe(status);
  });

  it.each([
    ['the wrong method', { method: 'POST', body: {} }, 405],
    ['the method before the headers', { method: 'DELETE', headers: { 'api-version': null } }, 405],
    ['a client that does not take JSON', { headers: { accept: 'text/html' } }, 406],
    ['no api-version', { headers: { 'api-version': null } }, 400],
    ['another api-version', { headers: { 'api-version': '2.0' } }, 400],
  ])('a finish with %s has no effect', async (_, sent, status) => {
    const { interviewId, token } = await simulator.openSession();
    expect((await call(simulator, FINISH, { token, ...sent })).status).toBe(status);
    expect(simulator.effects(interviewId).finished).toBe(0);
  });

  it('an unknown path is answered 404', async () => {
    expect((await call(simulator, '/omni/finish')).status).toBe(404);
  });

  it('a read requires an id only with an executive token', async () => {
    const { token } = await simulator.openSession();
    const logIn = { body: { email: 'clerk@example.com', password: 'a password' } };
    const executive = (await call(simulator, '/executive/log-in', logIn)).body.token;
    for (const what of ['score', 'onboarding/status', 'postprocess/isfinished']) {
      expect((await call(simulator, `/omni/get/${what}`, { token: executive })).status).toBe(400);
      expect((await call(simulator, `/omni/get/${what}`, { token })).status).toBe(200);
    }
  });

  it('a read by the id of another session is refused', async () => {
    const { token } = await simulator.openSession();
    const { interviewId } = await simulator.openSession();
    expect((await call(simulator, `/omni/get/score?id=${interviewId}`, { token })).status).toBe(401);
  });

  it('a body that is not a JSON object is refused', async () => {
    for (const body of ['{', '[]', 'null']) {
      expect((await call(simulator, '/omni/start', { body })).status).toBe(400);
    }
  });

  it('a request of more than 10 MB is refused', async () => {
    const { token } = await simulator.openSession();
    const body = { base64Image: 'A'.repeat(10 * 1_024 * 1_024) };
    expect((await call(simulator, '/omni/add/front-id/v2', { token, body })).status).toBe(413);
  });
});

describe('deleting a session', () => {
  it('requires an executive token and removes the session and its tokens', async () => {
    const { interviewId, token } = await simulator.openSession();
    const path = `/omni/interview?interviewId=${interviewId}`;
    const logIn = { body: { email: 'clerk@example.com', password: 'a password' } };
    const executive = (await call(simulator, '/executive/log-in', logIn)).body.token;
    expect((await call(simulator, path, { method: 'DELETE', token })).status).toBe(401);
    expect((await call(simulator, path, { method: 'DELETE', token: executive })).status).toBe(200);
    expect((await call(simulator, path, { method: 'DELETE', token: executive })).status).toBe(404);
    expect((await call(simulator, FINISH, { token })).status).toBe(401);
  });
});

describe('API keys', () => {
  it('API keys can be rotated, with more than one valid at once', async () => {
    await using keys = await startIncodeSimulator({ apiKeys: ['old'] });
    const { token } = await keys.openSession();
    const status = async (apiKey: string) => (await call(keys, FINISH, { token, apiKey })).status;
    keys.setApiKeys(['old', 'new']);
    expect([await status('old'), await status('new')]).toEqual([200, 200]);
    keys.setApiKeys(['new']);
    expect([await status('old'), await status('new')]).toEqual([403, 200]);
  });
});

describe('session tokens', () => {
  it('a session token is a JWT of up to 256 characters, valid for 90 days', async () => {
    const { interviewId, token } = await simulator.openSession();
    expect(token.length).toBeLessThanOrEqual(256);
    expect(decodeProtectedHeader(token).alg).toBe('HS256');
    const { exp, ...claims } = decodeJwt(token);
    expect(claims).toMatchObject({ interviewId });
    const days = (Number(exp) - Date.now() / 1_000) / 86_400;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThanOrEqual(90);
  });

  it('refuses an expired session token', async () => {
    const { interviewId, token } = await simulator.openSession({ tokenExpiresInMs: -1 });
    expect((await call(simulator, FINISH, { token })).status).toBe(401);
    const renewed = await simulator.issueToken(interviewId);
    expect((await call(simulator, FINISH, { token: renewed })).status).toBe(200);
  });

  it('a revoked session token is refused, and one that is issued afterwards is not', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.revokeTokens(interviewId);
    expect((await call(simulator, FINISH, { token })).status).toBe(401);
    const renewed = await simulator.issueToken(interviewId);
    expect((await call(simulator, FINISH, { token: renewed })).status).toBe(200);
  });

  it('refuses a session token of another simulator', async () => {
    await using other = await startIncodeSimulator();
    const { token } = await other.openSession();
    expect((await call(simulator, FINISH, { token })).status).toBe(401);
  });
});

describe('score', () => {
  const scoreOf = async (interviewId: string, token: string) =>
    (await call(simulator, `/omni/get/score?id=${interviewId}`, { token })).body;

  it('the score is UNKNOWN before the session is finished', async () => {
    const { interviewId, token } = await simulator.openSession();
    expect(await scoreOf(interviewId, token)).toEqual({ overall: { status: 'UNKNOWN' } });
  });

  it('the score is UNKNOWN until it is ready', async () => {
    const { interviewId, token } = await simulator.openSession({ scoreReadyAfterMs: 1_000 });
    await call(simulator, FINISH, { token });
    expect((await scoreOf(interviewId, token)).overall.status).toBe('UNKNOWN');
    await expect.poll(async () => (await scoreOf(interviewId, token)).overall).toEqual({ value: '94.6', status: 'OK' });
  });

  it('the score of a session that never gets one is ready as soon as the test says so', async () => {
    const { interviewId, token } = await simulator.openSession({ scoreReadyAfterMs: null });
    await call(simulator, FINISH, { token });
    expect((await scoreOf(interviewId, token)).overall.status).toBe('UNKNOWN');
    simulator.setScoreReady(interviewId);
    expect((await scoreOf(interviewId, token)).overall).toEqual({ value: '94.6', status: 'OK' });
  });

  it('has parts whose numbers are strings', async () => {
    const { interviewId, token } = await simulator.openSession({ score: { status: 'WARN', value: '61.0' } });
    await call(simulator, FINISH, { token });
    expect(await scoreOf(interviewId, token)).toMatchObject({
      idValidation: { overall: { value: '61.0', status: 'WARN' } },
      liveness: { overall: { value: expect.any(String) } },
      faceRecognition: { overall: { value: expect.any(String) } },
      overall: { value: '61.0', status: 'WARN' },
    });
  });

  it('can also be read with a slash before the query, like clients of Incode do', async () => {
    const { interviewId, token } = await simulator.openSession();
    expect((await call(simulator, `/omni/get/score/?id=${interviewId}`, { token })).status).toBe(200);
  });

  it('follows the decision of a person if it was pending', async () => {
    const { interviewId, token } = await simulator.openSession({
      score: { status: 'MANUAL_PENDING', value: '61.0' },
    });
    await call(simulator, FINISH, { token });
    expect((await scoreOf(interviewId, token)).overall.status).toBe('MANUAL_PENDING');
    simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await scoreOf(interviewId, token)).overall.status).toBe('MANUAL_FAIL');
  });
});

describe('manual review', () => {
  it('ends with the verdict some time after finish-status', async () => {
    const { interviewId, token } = await simulator.openSession({ manualReview: { verdict: 'APPROVED', afterMs: 20 } });
    await call(simulator, FINISH, { token });
    await expect.poll(() => simulator.session(interviewId).onboardingStatus).toBe('MANUAL_REVIEW_APPROVED');
  });

  it('a review can take months, longer than a timer of Node', async () => {
    const { interviewId, token } = await simulator.openSession({
      manualReview: { verdict: 'APPROVED', afterMs: 40 * 86_400_000 },
    });
    await call(simulator, FINISH, { token });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(simulator.session(interviewId).onboardingStatus).toBe('ONBOARDING_FINISHED');
  });
});

describe('closing', () => {
  const close = (token: string) =>
    call(simulator, '/omni/session/status/set?action=Closed', { token, method: 'POST', body: {} });

  it('answers that the session is closed and since when', async () => {
    const { interviewId, token } = await simulator.openSession();
    const first = await close(token);
    expect(first.body).toMatchObject({ sessionStatus: 'Closed', closedAt: expect.any(Number) });
    expect((await close(token)).body.closedAt).toBe(first.body.closedAt);
    expect(simulator.effects(interviewId).closed).toBe(2);
  });

  it('refuses other actions', async () => {
    const { token } = await simulator.openSession();
    const { status } = await call(simulator, '/omni/session/status/set?action=Open', { token, body: {} });
    expect(status).toBe(400);
  });

  it('refuses uploads afterwards', async () => {
    const { token } = await simulator.openSession();
    const upload = () => call(simulator, '/omni/add/front-id/v2', { token, body: { base64Image: 'AAAA' } });
    expect((await upload()).status).toBe(200);
    await close(token);
    expect((await upload()).status).toBe(400);
  });

  it('freezes the score, but a score that is being calculated still arrives', async () => {
    const { interviewId, token } = await simulator.openSession({ scoreReadyAfterMs: 100 });
    await call(simulator, FINISH, { token });
    await close(token);
    await expect.poll(() => simulator.session(interviewId).score.status).toBe('OK');
    // A new score would be UNKNOWN at first.
    await call(simulator, FINISH, { token });
    expect(simulator.session(interviewId).score.status).toBe('OK');
  });
});

describe('rate limit', () => {
  const statuses = async (limited: IncodeSimulator, token: string, calls: number) => {
    const answers = [];
    for (let i = 0; i < calls; i++) answers.push(await call(limited, FINISH, { token }));
    return answers;
  };

  it('answers 429 with Retry-After beyond the burst and lets the call take no effect', async () => {
    await using limited = await startIncodeSimulator({ rateLimit: { perSecond: 0.001, burst: 2 } });
    const { interviewId, token } = await limited.openSession();
    const answers = await statuses(limited, token, 4);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(limited.effects(interviewId).finished).toBe(2);
  });

  it('omits Retry-After if asked', async () => {
    await using limited = await startIncodeSimulator({ rateLimit: { perSecond: 0.001, burst: 1, retryAfter: false } });
    const { token } = await limited.openSession();
    const [, refused] = await statuses(limited, token, 2);
    expect(refused?.status).toBe(429);
    expect(refused?.headers.get('retry-after')).toBeNull();
  });

  it('accepts calls again as the bucket fills', async () => {
    await using limited = await startIncodeSimulator({ rateLimit: { perSecond: 50, burst: 1 } });
    const { token } = await limited.openSession();
    await call(limited, FINISH, { token });
    await expect.poll(async () => (await call(limited, FINISH, { token })).status).toBe(200);
  });

  it('covers all calls together except those of documents and faces', async () => {
    await using limited = await startIncodeSimulator({ rateLimit: { perSecond: 0.001, burst: 1 } });
    const { interviewId, token } = await limited.openSession();
    const status = async (path: string) => (await call(limited, path, { token })).status;
    expect(await status(FINISH)).toBe(200);
    expect(await status(`/omni/get/onboarding/status?id=${interviewId}`)).toBe(429);
    expect(await status(`/omni/get/score?id=${interviewId}`)).toBe(429);
    expect(await status(`/omni/get/postprocess/isfinished?id=${interviewId}`)).toBe(429);
    const upload = { token, body: { base64Image: 'QUJD' } };
    expect((await call(limited, '/omni/add/front-id/v2', upload)).status).toBe(200);
    limited.setRateLimit(null);
    expect(await status(FINISH)).toBe(200);
  });

  it('refuses a limit of 0', async () => {
    expect(() => simulator.setRateLimit({ perSecond: 0, burst: 1 })).toThrow('rateLimit.perSecond');
  });
});

describe('log', () => {
  it('lists every call with its session and status and counts them', async () => {
    await using logged = await startIncodeSimulator();
    const { interviewId, token } = await logged.openSession();
    await call(logged, FINISH, { token, apiKey: 'wrong' });
    await call(logged, FINISH, { token });
    await call(logged, `/omni/get/score?id=${interviewId}`, { token });
    expect(logged.callsOf(interviewId)).toMatchObject([
      { operation: 'finishStatus', interviewId, httpStatus: 403, fault: null },
      { operation: 'finishStatus', interviewId, httpStatus: 200, fault: null },
      { operation: 'score', interviewId, httpStatus: 200, fault: null },
    ]);
    expect(logged.counts).toEqual({ finishStatus: 2, score: 1 });
  });
});

describe('sessions', () => {
  it('refuses to open a session twice', async () => {
    const { interviewId } = await simulator.openSession();
    await expect(simulator.openSession({ interviewId })).rejects.toThrow('already');
  });

  it('refuses to open a session with unknown keys', async () => {
    await expect(simulator.openSession({ interviewID: 'x' } as object)).rejects.toThrow('session.interviewID');
  });
});
