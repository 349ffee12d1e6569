import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';
import { accept, startReceiver } from './webhook-receiver.js';

describe('the status webhook', () => {
  it('has the session and its status', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ webhook: { url: `${receiver.url}/hook` } });
    const { interviewId, token } = await simulator.openSession({ externalCustomerId: 'customer-1' });
    await call(simulator, '/omni/finish-status?flowId=flow-7', { token });
    await expect.poll(() => simulator.deliveries).toHaveLength(1);
    expect(receiver.received[0]?.path).toBe('/hook');
    expect(JSON.parse(String(receiver.received[0]?.body))).toEqual({
      interviewId,
      onboardingStatus: 'ONBOARDING_FINISHED',
      clientId: 'simulator',
      flowId: 'flow-7',
      externalId: 'customer-1',
    });
  });

  it('is sent at each milestone and again for each finish-status', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const { interviewId, token } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'ID_VALIDATION_FINISHED');
    await call(simulator, '/omni/finish-status', { token });
    await call(simulator, '/omni/finish-status', { token });
    simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await expect.poll(() => simulator.deliveries).toHaveLength(4);
    // In any order.
    expect(simulator.deliveries.map(({ onboardingStatus }) => onboardingStatus).sort()).toEqual([
      'ID_VALIDATION_FINISHED',
      'MANUAL_REVIEW_APPROVED',
      'ONBOARDING_FINISHED',
      'ONBOARDING_FINISHED',
    ]);
  });

  it('sends the webhook again until it is accepted', async () => {
    await using receiver = await startReceiver((response, count) =>
      count <= 2 ? response.writeHead(503).end() : accept(response),
    );
    await using simulator = await startIncodeSimulator({ timeScale: 0.001, webhook: { url: receiver.url } });
    const { interviewId, token } = await simulator.openSession();
    await call(simulator, '/omni/finish-status', { token });
    await expect
      .poll(() => simulator.deliveries)
      .toMatchObject([
        { interviewId, attempt: 1, httpStatus: 503, accepted: false, lost: false },
        { interviewId, attempt: 2, httpStatus: 503, accepted: false, lost: false },
        { interviewId, attempt: 3, httpStatus: 200, accepted: true, lost: false },
      ]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('gives a webhook up after the last retry', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(500).end());
    await using simulator = await startIncodeSimulator({ timeScale: 0.000_1, webhook: { url: receiver.url } });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => simulator.deliveries.at(-1)?.lost).toBe(true);
    expect(simulator.deliveries).toHaveLength(6);
    // Incode's schedule, scaled: a retry is never early.
    const gaps = simulator.deliveries.slice(1).map(({ at }, i) => at - Number(simulator.deliveries[i]?.at));
    for (const [i, wait] of [3, 7, 18, 46, 117].entries()) expect(gaps[i]).toBeGreaterThanOrEqual(wait);
  });

  it.each([
    ['204', (response: ServerResponse) => response.writeHead(204).end(), true],
    ['200 with JSON', accept, true],
    [
      '200 with text',
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/plain' }).end('ok'),
      false,
    ],
    ['201', (response: ServerResponse) => response.writeHead(201).end('{}'), false],
    ['a redirect', (response: ServerResponse) => response.writeHead(302, { location: '/x' }).end(), false],
    ['no answer', (response: ServerResponse) => response.destroy(), false],
  ])('takes %s for an answer or not', async (_, answer, accepted) => {
    await using receiver = await startReceiver(answer as (response: ServerResponse) => unknown);
    await using simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => simulator.deliveries).toMatchObject([{ attempt: 1, accepted }]);
  });

  it('limits concurrent deliveries to a receiver', async () => {
    let atOnce = 0;
    let most = 0;
    await using receiver = await startReceiver((response) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      setTimeout(() => {
        atOnce -= 1;
        accept(response);
      }, 20);
    });
    await using simulator = await startIncodeSimulator();
    const sessions = [];
    for (let i = 0; i < 200; i++) sessions.push(await simulator.openSession());
    simulator.setWebhook({ url: receiver.url });
    for (const { interviewId } of sessions) simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await simulator.advanceTime(0);
    expect(simulator.deliveries.filter(({ accepted }) => accepted)).toHaveLength(200);
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(50);
  });

  it('is not sent any more once it is removed or the simulator is closed', async () => {
    await using receiver = await startReceiver();
    const simulator = await startIncodeSimulator({ webhook: { url: receiver.url } });
    const { interviewId } = await simulator.openSession();
    simulator.setWebhook(null);
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    simulator.setWebhook({ url: receiver.url });
    await simulator.close();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    expect(receiver.received).toEqual([]);
  });
});

describe('the authentication of webhooks', () => {
  it('sends static headers', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({
      webhook: { url: receiver.url, headers: { 'x-secret': 'known-to-both' } },
    });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => receiver.received[0]?.headers['x-secret']).toBe('known-to-both');
  });

  it('can use a bearer token, which is kept until it expires or is refused', async () => {
    let tokens = 0;
    await using receiver = await startReceiver((response, _, { path, headers }) => {
      if (path === '/token') {
        tokens += 1;
        return response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3_600 }));
      }
      // The first token is withdrawn before the third delivery.
      const deliveries = receiver.received.filter(({ path }) => path === '/hook').length;
      if (deliveries >= 3 && headers.authorization === 'Bearer token-1') return response.writeHead(401).end();
      return accept(response);
    });
    await using simulator = await startIncodeSimulator({
      timeScale: 0.001,
      webhook: {
        url: `${receiver.url}/hook`,
        oauth: { tokenUrl: `${receiver.url}/token`, clientId: 'incode', clientSecret: 's:cret' },
      },
    });
    const { interviewId } = await simulator.openSession();
    for (const [i, status] of ['ID_VALIDATION_FINISHED', 'FACE_VALIDATION_FINISHED', 'EXPIRED'].entries()) {
      simulator.setOnboardingStatus(interviewId, status);
      await expect.poll(() => simulator.deliveries.filter(({ accepted }) => accepted)).toHaveLength(i + 1);
    }
    const asked = receiver.received.filter(({ path }) => path === '/token');
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatchObject({
      body: 'grant_type=client_credentials',
      headers: { authorization: `Basic ${Buffer.from('incode:s:cret').toString('base64')}` },
    });
    const used = receiver.received.filter(({ path }) => path === '/hook').map(({ headers }) => headers.authorization);
    expect(used).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  it('is retried if the token endpoint gives no token', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(401).end('{}'));
    await using simulator = await startIncodeSimulator({
      timeScale: 0.001,
      webhook: {
        url: `${receiver.url}/hook`,
        oauth: { tokenUrl: `${receiver.url}/token`, clientId: 'incode', clientSecret: 'wrong' },
      },
    });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => simulator.deliveries.length).toBeGreaterThanOrEqual(2);
    expect(simulator.deliveries[0]).toMatchObject({ httpStatus: null, accepted: false });
    expect(receiver.received.every(({ path }) => path === '/token')).toBe(true);
  });
});
