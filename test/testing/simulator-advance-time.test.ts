import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';
import { accept, startReceiver } from './webhook-receiver.js';

const DAY = 86_400_000;
const FINISH = '/omni/finish-status';

const finish = async (simulator: IncodeSimulator, token: string) => (await call(simulator, FINISH, { token })).status;

describe('advanceTime', () => {
  it('expires a session token after 90 days, and a new one is valid from then on', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await simulator.openSession({
      manualReview: { verdict: 'APPROVED', afterMs: 100 * DAY },
    });
    expect(await finish(simulator, token)).toBe(200);
    const ask = async (by: string) => call(simulator, `/omni/get/onboarding/status?id=${interviewId}`, { token: by });
    await simulator.advanceTime(89 * DAY);
    expect((await ask(token)).status).toBe(200);
    await simulator.advanceTime(DAY);
    expect((await ask(token)).status).toBe(401);

    const renewed = await simulator.issueToken(interviewId);
    expect(Number(decodeJwt(renewed).exp) * 1_000 - Date.now()).toBeGreaterThan(179 * DAY);
    await simulator.advanceTime(10 * DAY);
    expect((await ask(renewed)).body).toEqual({ onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
  });

  it('expires an executive token after 24 hours', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId } = await simulator.openSession();
    const body = { email: 'clerk@example.com', password: 'a password' };
    const { token } = (await call(simulator, '/executive/log-in', { body })).body;
    const status = async () => (await call(simulator, `/omni/get/score?id=${interviewId}`, { token })).status;
    expect(await status()).toBe(200);
    await simulator.advanceTime(DAY);
    expect(await status()).toBe(401);
  });
});

describe('advanceTime of a session', () => {
  it('processes it on day 3 and reviews it on day 20, each at its own time', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const start = simulator.now();
    const late = await simulator.openSession({ manualReview: { verdict: 'REJECTED', afterMs: 20 * DAY } });
    await finish(simulator, late.token);
    const early = await simulator.openSession({ processedAfterMs: 3 * DAY });

    await simulator.advanceTime(30 * DAY);
    // The webhooks have arrived without a wait.
    expect(receiver.received.map(({ body }) => JSON.parse(body).onboardingStatus)).toEqual([
      'ONBOARDING_FINISHED',
      'POST_PROCESSING_FINISHED',
      'MANUAL_REVIEW_REJECTED',
    ]);
    expect(simulator.deliveries.map(({ interviewId }) => interviewId)).toEqual([
      late.interviewId,
      early.interviewId,
      late.interviewId,
    ]);
    const days = simulator.deliveries.map(({ at }) => Math.floor((at - start) / DAY));
    expect(days).toEqual([0, 3, 20]);
  });

  it('makes its score ready', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await simulator.openSession({ scoreReadyAfterMs: 5 * DAY });
    await finish(simulator, token);
    await simulator.advanceTime(5 * DAY - 60_000);
    expect(simulator.session(interviewId).score.status).toBe('UNKNOWN');
    await simulator.advanceTime(60_000);
    expect(simulator.session(interviewId).score.status).toBe('OK');
  });
});

describe('advanceTime of a webhook', () => {
  it('sends it again by the schedule of Incode until it is lost', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(503).end());
    await using simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const { token } = await simulator.openSession();
    await finish(simulator, token);
    // The first attempt may still be in flight.
    await simulator.advanceTime(30_000);
    expect(receiver.received).toHaveLength(2);
    await simulator.advanceTime(74_000);
    expect(receiver.received).toHaveLength(2);
    await simulator.advanceTime(DAY);
    expect(receiver.received).toHaveLength(6);
    expect(simulator.deliveries.at(-1)).toMatchObject({ attempt: 6, lost: true });
    const gaps = simulator.deliveries.slice(1).map(({ at }, i) => at - Number(simulator.deliveries[i]?.at));
    for (const [i, wait] of [30_000, 75_000, 187_500, 468_750, 1_171_900].entries()) {
      expect(gaps[i]).toBeGreaterThanOrEqual(wait);
      expect(gaps[i]).toBeLessThan(wait + 5_000);
    }
  });

  it('waits for the answer of a slow receiver', async () => {
    let answered = 0;
    await using receiver = await startReceiver((response) =>
      setTimeout(() => {
        answered += 1;
        if (answered === 1) response.writeHead(500).end();
        else accept(response);
      }, 100),
    );
    await using simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const { token } = await simulator.openSession();
    await finish(simulator, token);
    await simulator.advanceTime(30_000);
    expect(answered).toBe(2);
    expect(simulator.deliveries.map(({ accepted }) => accepted)).toEqual([false, true]);
  });

  it('lets a receiver call a slow Incode before it answers', async () => {
    let asked: string | undefined;
    await using simulator = await startIncodeSimulator({ latencyMs: 50 });
    const { interviewId, token } = await simulator.openSession({ processedAfterMs: DAY });
    await using receiver = await startReceiver(async (response) => {
      asked = (await call(simulator, `/omni/get/onboarding/status?id=${interviewId}`, { token })).body.onboardingStatus;
      accept(response);
    });
    simulator.setWebhook({ url: receiver.url });
    await simulator.advanceTime(DAY);
    expect(asked).toBe('POST_PROCESSING_FINISHED');
    expect(simulator.deliveries).toMatchObject([{ accepted: true }]);
  });

  it('makes it get another bearer token after the first one expired', async () => {
    let tokens = 0;
    await using receiver = await startReceiver((response, _, { path }) => {
      if (path !== '/token') return accept(response);
      tokens += 1;
      const body = JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3_600 });
      return response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    const oauth = { tokenUrl: `${receiver.url}/token`, clientId: 'incode', clientSecret: 'secret' };
    await using simulator = await startIncodeSimulator({ webhook: { url: `${receiver.url}/hook`, oauth } });
    const { interviewId } = await simulator.openSession();
    for (const ms of [0, 3_000_000, 3_000_000]) {
      await simulator.advanceTime(ms);
      simulator.setOnboardingStatus(interviewId, 'FACE_VALIDATION_FINISHED');
      await simulator.advanceTime(0);
    }
    const used = receiver.received.filter(({ path }) => path === '/hook').map(({ headers }) => headers.authorization);
    expect(used).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });
});

describe('advanceTime of a call', () => {
  it('fills the bucket of the rate limit', async () => {
    await using simulator = await startIncodeSimulator({ rateLimit: { perSecond: 0.001, burst: 1 } });
    const { token } = await simulator.openSession();
    expect([await finish(simulator, token), await finish(simulator, token)]).toEqual([200, 429]);
    await simulator.advanceTime(1_000_000);
    expect([await finish(simulator, token), await finish(simulator, token)]).toEqual([200, 429]);
  });

  it('triggers the late effect and the late answer of a fault', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'status', status: 504, effect: true, effectAfterMs: 20_000 });
    expect(await finish(simulator, token)).toBe(504);
    expect(simulator.effects(interviewId).finished).toBe(0);
    await simulator.advanceTime(20_000);
    expect(simulator.effects(interviewId).finished).toBe(1);

    simulator.fault({ interviewId, kind: 'latency', ms: 25_000 });
    simulator.fault({ interviewId, kind: 'hang' });
    const slow = finish(simulator, token);
    await expect.poll(() => simulator.calls).toHaveLength(2);
    const hanging = finish(simulator, token).catch(() => 'ended');
    await expect.poll(() => simulator.calls).toHaveLength(3);
    await simulator.advanceTime(30_000);
    expect([await slow, await hanging]).toEqual([200, 'ended']);
  });

  it('sets the time in the log and in refusals', async () => {
    await using simulator = await startIncodeSimulator();
    await simulator.advanceTime(40 * DAY);
    const { body } = await call(simulator, FINISH, { apiKey: 'wrong' });
    for (const at of [simulator.now(), simulator.calls[0]?.at, body.timestamp]) {
      expect(Math.round((at - Date.now()) / DAY)).toBe(40);
    }
  });
});

it('the data file keeps the time of the clock', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-'));
  const dataFile = join(directory, 'sessions.json');
  try {
    const before = await startIncodeSimulator({ dataFile });
    const { interviewId, token } = await before.openSession({ processedAfterMs: 100 * DAY });
    await before.advanceTime(80 * DAY);
    const then = before.now();
    await before.close();

    await using after = await startIncodeSimulator({ dataFile });
    expect(after.now()).toBeGreaterThanOrEqual(then);
    const isFinished = async () => (await call(after, '/omni/get/postprocess/isfinished', { token })).status;
    expect(await isFinished()).toBe(200);
    await after.advanceTime(10 * DAY);
    expect(await isFinished()).toBe(401);
    expect(after.session(interviewId).onboardingStatus).toBe('UNKNOWN');
    await after.advanceTime(10 * DAY);
    expect(after.session(interviewId).onboardingStatus).toBe('POST_PROCESSING_FINISHED');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

it('advanceTime rejects if the simulator is closed meanwhile', async () => {
  await using receiver = await startReceiver(() => undefined);
  const simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
  const { token } = await simulator.openSession();
  await finish(simulator, token);
  const moving = expect(simulator.advanceTime(DAY)).rejects.toThrow('closed');
  await expect.poll(() => receiver.received).toHaveLength(1);
  await simulator.close();
  await moving;
});
