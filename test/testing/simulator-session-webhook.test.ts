import { describe, expect, it } from 'vitest';
import { type IncodeSimulator, type SessionSpec, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';
import { startReceiver } from './webhook-receiver.js';

const START = { configurationId: 'flow-1', countryCode: 'ALL' };
const FINISH = '/omni/finish-status';

const eventsOf = (simulator: IncodeSimulator, of: string) =>
  simulator.deliveries.filter(({ webhook, interviewId }) => webhook === 'session' && interviewId === of);

describe('the session webhook', () => {
  it('has its own URL next to the status webhook', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({
      webhook: { url: `${receiver.url}/status` },
      sessionWebhook: { url: `${receiver.url}/session`, headers: { 'x-secret': 'known-to-both' } },
    });
    const body = { ...START, externalCustomerId: 'customer-1' };
    const { interviewId, token } = (await call(simulator, '/omni/start', { body })).body;
    // Waits for the deliveries.
    await simulator.advanceTime(0);
    await call(simulator, FINISH, { token });
    await simulator.advanceTime(0);

    const session = receiver.received.filter(({ path }) => path === '/session');
    expect(session.map(({ body }) => JSON.parse(body))).toEqual([
      { event_type: 'SESSION_STARTED', interviewId, onboardingStatus: 'UNKNOWN', externalCustomerId: 'customer-1' },
      {
        event_type: 'SESSION_SUCCEEDED',
        interviewId,
        onboardingStatus: 'ONBOARDING_FINISHED',
        externalCustomerId: 'customer-1',
        identityId: `identity-${interviewId}`,
      },
    ]);
    expect(session.map(({ headers }) => headers['x-secret'])).toEqual(['known-to-both', 'known-to-both']);
    const status = receiver.received.filter(({ path }) => path === '/status');
    expect(status.map(({ body }) => JSON.parse(body).onboardingStatus)).toEqual(['ONBOARDING_FINISHED']);
    expect(status.map(({ headers }) => headers['x-secret'])).toEqual([undefined]);
    expect(simulator.deliveries.map(({ webhook, event }) => `${webhook} ${event}`).sort()).toEqual([
      'session SESSION_STARTED',
      'session SESSION_SUCCEEDED',
      'status null',
    ]);
  });

  it('names the reference of a session whose start was not answered', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ sessionWebhook: { url: receiver.url } });
    simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    const body = { ...START, externalCustomerId: 'attempt-1' };
    await expect(call(simulator, '/omni/start', { body })).rejects.toThrow();
    await simulator.advanceTime(0);
    const interviewId = simulator.sessions('attempt-1')[0]?.interviewId;
    const [told] = receiver.received.map(({ body }) => JSON.parse(body));
    expect(told).toMatchObject({
      event_type: 'SESSION_STARTED',
      interviewId,
      externalCustomerId: 'attempt-1',
    });
  });

  it.each<[string, SessionSpec, string[]]>([
    ['approved', { action: 'approved' }, ['SESSION_SUCCEEDED']],
    ['rejected', { action: 'rejected' }, ['SESSION_FAILED']],
    [
      'left open with a score of WARN',
      { action: 'none', score: { status: 'WARN', value: '61.0' } },
      ['SESSION_PENDING_REVIEW'],
    ],
    ['left open with a score of OK', { action: 'none' }, ['SESSION_SUCCEEDED']],
    [
      'left open with a score of FAIL',
      { action: 'none', score: { status: 'FAIL', value: '12.1' } },
      ['SESSION_FAILED'],
    ],
    ['left open without a score', { action: 'none', score: { status: 'UNKNOWN', value: '0.0' } }, []],
    [
      'approved by a person',
      {
        action: 'none',
        score: { status: 'MANUAL_PENDING', value: '61.0' },
        manualReview: { verdict: 'APPROVED', afterMs: 60_000 },
      },
      ['SESSION_PENDING_REVIEW', 'SESSION_SUCCEEDED'],
    ],
    [
      'rejected by a person',
      {
        action: 'none',
        score: { status: 'MANUAL_PENDING', value: '61.0' },
        manualReview: { verdict: 'REJECTED', afterMs: 60_000 },
      },
      ['SESSION_PENDING_REVIEW', 'SESSION_FAILED'],
    ],
  ])('tells what became of a session that was %s', async (_, spec, expected) => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ sessionWebhook: { url: receiver.url } });
    const { interviewId, token } = await simulator.openSession(spec);
    await simulator.advanceTime(0);
    await call(simulator, FINISH, { token });
    await simulator.advanceTime(60_000);
    const events = eventsOf(simulator, interviewId);
    expect(events.map(({ event }) => event)).toEqual(['SESSION_STARTED', ...expected]);
    // After the end of the session, with any result.
    const statuses = events.slice(1).map(({ onboardingStatus }) => onboardingStatus);
    expect(new Set(statuses)).toEqual(new Set(expected.length > 0 ? ['ONBOARDING_FINISHED'] : []));
  });

  it('reports that a session was opened again and, once, that an identity was enrolled', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({ sessionWebhook: { url: receiver.url } });
    const { interviewId } = await simulator.openSession();
    const { token } = (await call(simulator, '/omni/start', { body: { ...START, interviewId } })).body;
    await call(simulator, FINISH, { token });
    const logIn = { body: { email: 'clerk@example.com', password: 'a password' } };
    const executive = (await call(simulator, '/executive/log-in', logIn)).body.token;
    for (const existingCustomer of [false, true]) {
      const path = `/omni/process/approve?interviewId=${interviewId}`;
      expect((await call(simulator, path, { token: executive, body: {} })).body).toMatchObject({ existingCustomer });
    }
    await simulator.advanceTime(0);
    expect(receiver.received.map(({ body }) => JSON.parse(body).event_type).sort()).toEqual([
      'IDENTITY_ENROLLED',
      'SESSION_PROGRESS',
      'SESSION_STARTED',
      'SESSION_SUCCEEDED',
    ]);
  });

  it('can use the names of another version of Incode', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator();
    simulator.setSessionWebhook({ url: receiver.url, eventField: 'eventType', eventNames: 'words' });
    const { token } = await simulator.openSession({ action: 'none', score: { status: 'WARN', value: '61.0' } });
    await simulator.advanceTime(0);
    await call(simulator, FINISH, { token });
    await simulator.advanceTime(0);
    expect(receiver.received.map(({ body }) => JSON.parse(body).eventType)).toEqual([
      'Session Started',
      'Session Pending Review',
    ]);
    expect(receiver.received.some(({ body }) => 'event_type' in JSON.parse(body))).toBe(false);
    simulator.setSessionWebhook(null);
    await simulator.openSession();
    await simulator.advanceTime(0);
    expect(receiver.received).toHaveLength(2);
  });

  it('sends a refused session webhook again by the schedule of status webhooks', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(500).end());
    await using simulator = await startIncodeSimulator({ sessionWebhook: { url: receiver.url } });
    const { interviewId } = await simulator.openSession();
    await simulator.advanceTime(86_400_000);
    expect(eventsOf(simulator, interviewId).map(({ attempt, lost }) => (lost ? 'lost' : attempt))).toEqual([
      ...[1, 2, 3, 4, 5],
      'lost',
    ]);
  });

  it('the control API sets the session webhook', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator();
    const path = `${simulator.url}/_simulator/session-webhook`;
    await fetch(path, { method: 'POST', body: JSON.stringify({ url: receiver.url, eventField: 'eventType' }) });
    await simulator.openSession();
    await simulator.advanceTime(0);
    await fetch(path, { method: 'DELETE' });
    await simulator.openSession();
    await simulator.advanceTime(0);
    expect(receiver.received.map(({ body }) => JSON.parse(body).eventType)).toEqual(['SESSION_STARTED']);
  });
});
