import { describe, expect, it } from 'vitest';
import { startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from '../testing/simulator-client.js';
import { CLIENT, SECRET, startReceiver } from './support.js';

// The simulator sends webhooks like Incode, with the same retry schedule.

/** Shortens Incode's schedule of half an hour to some seconds. */
const timeScale = 0.002;

describe('deliveries of the simulator', () => {
  it('a delivery arrives with a secret in a header', async () => {
    await using one = await startReceiver();
    const webhook = { url: `${one.url}/incode/webhook`, headers: { 'x-secret': SECRET } };
    await using simulator = await startIncodeSimulator({ webhook });
    const { interviewId, token } = await simulator.openSession({ externalCustomerId: 'c-1' });
    await call(simulator, '/omni/finish-status?flowId=f-1', { token });
    await expect.poll(() => simulator.deliveries).toMatchObject([{ accepted: true, httpStatus: 200 }]);
    expect(one.deliveries).toEqual([
      { interviewId, onboardingStatus: 'ONBOARDING_FINISHED', flowId: 'f-1', externalId: 'c-1' },
    ]);
  });

  it('deliveries arrive with OAuth2 and share one token', async () => {
    await using one = await startReceiver({ oauth: { clients: [CLIENT] } });
    await using simulator = await startIncodeSimulator({ webhook: oauthTarget(one.url) });
    const { interviewId } = await simulator.openSession();
    for (const [i, status] of ['ID_VALIDATION_FINISHED', 'EXPIRED'].entries()) {
      simulator.setOnboardingStatus(interviewId, status);
      await expect.poll(() => simulator.deliveries).toHaveLength(i + 1);
    }
    expect(simulator.deliveries.every(({ accepted }) => accepted)).toBe(true);
    expect(one.receiver.counts).toMatchObject({ tokenIssued: 1, delivered: 2 });
  });

  it('accepts every webhook while one secret replaces another', async () => {
    const old = { id: CLIENT.id, secret: 'the-secret-of-last-year' };
    // Three deployments: add the new secret, change Incode's dashboard, remove the old secret.
    await using first = await startReceiver({ oauth: { clients: [old] } });
    await using second = await startReceiver({ oauth: { clients: [CLIENT, old] } });
    await using third = await startReceiver({ oauth: { clients: [CLIENT] } });
    await using simulator = await startIncodeSimulator();
    const { interviewId } = await simulator.openSession();
    const steps = [oauthTarget(first.url, old.secret), oauthTarget(second.url, old.secret)];
    for (const [i, target] of [...steps, oauthTarget(second.url), oauthTarget(third.url)].entries()) {
      simulator.setWebhook(target);
      simulator.setOnboardingStatus(interviewId, `STEP_${i}`);
      await expect.poll(() => simulator.deliveries).toHaveLength(i + 1);
    }
    expect(simulator.deliveries.map(({ httpStatus }) => httpStatus)).toEqual([200, 200, 200, 200]);
    expect(second.events.flatMap(({ endpoint, credential }) => (endpoint === 'delivery' ? [credential] : []))).toEqual([
      'oauth.clients[1]',
      'oauth.clients[0]',
    ]);
  });

  it('sends a webhook again until notify succeeds', async () => {
    let attempts = 0;
    await using one = await startReceiver({
      notify: async () => {
        attempts += 1;
        if (attempts <= 2) throw new Error('Temporal is unavailable');
        return 'delivered';
      },
    });
    await using simulator = await startIncodeSimulator({
      timeScale,
      webhook: { url: `${one.url}/incode/webhook`, headers: { 'x-secret': SECRET } },
    });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect
      .poll(() => simulator.deliveries)
      .toMatchObject([
        { attempt: 1, httpStatus: 503, accepted: false },
        { attempt: 2, httpStatus: 503, accepted: false },
        { attempt: 3, httpStatus: 200, accepted: true },
      ]);
    expect(one.receiver.counts).toMatchObject({ unavailable: 2, delivered: 1 });
  });

  it('all deliveries arrive after an outage and a restart of the receiver', async () => {
    const first = await startReceiver({ notify: () => Promise.reject(new Error('Temporal is unavailable')) });
    const webhook = { url: `${first.url}/incode/webhook`, headers: { 'x-secret': SECRET } };
    // Slow enough that the second receiver starts before the schedule ends, on any machine.
    await using simulator = await startIncodeSimulator({ timeScale: 0.01, webhook });
    const sessions = await Promise.all(Array.from({ length: 100 }, () => simulator.openSession()));
    for (const { interviewId } of sessions) simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => first.receiver.counts.unavailable).toBeGreaterThanOrEqual(100);
    await first.receiver.close();

    await using second = await startReceiver();
    simulator.setWebhook({ ...webhook, url: `${second.url}/incode/webhook` });
    await expect.poll(() => second.receiver.counts.delivered).toBe(100);
    expect(new Set(second.deliveries.map(({ interviewId }) => interviewId)).size).toBe(100);
    expect(simulator.deliveries.filter(({ lost }) => lost)).toEqual([]);
  });

  it('sends a webhook once if the session is unknown', async () => {
    await using one = await startReceiver({ notify: async () => 'unknownSession' });
    await using simulator = await startIncodeSimulator({
      timeScale,
      webhook: { url: `${one.url}/incode/webhook`, headers: { 'x-secret': SECRET } },
    });
    const { interviewId } = await simulator.openSession();
    simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await expect.poll(() => simulator.deliveries).toMatchObject([{ accepted: true }]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(one.receiver.counts.unknownSession).toBe(1);
  });
});

function oauthTarget(url: string, clientSecret = CLIENT.secret) {
  return {
    url: `${url}/incode/webhook`,
    oauth: { tokenUrl: `${url}/incode/oauth/token`, clientId: CLIENT.id, clientSecret },
  };
}
