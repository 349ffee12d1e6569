import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import type { IncodeSimulator } from '../../src/testing/index.js';
import { fetchHistory, textWithoutInputs } from '../support/history.js';
import { type ProcessWorld, startProcessWorld } from '../support/process-world.js';
import { API_KEY } from '../support/world.js';

let world: ProcessWorld;
let simulator: IncodeSimulator;
let onboarding: OnboardingClient;
// Each test leaves a running server and worker behind.
beforeAll(async () => {
  world = await startProcessWorld();
  ({ simulator } = world);
  onboarding = new OnboardingClient({ client: world.client });
});
afterAll(() => world[Symbol.asyncDispose]());

async function expectNoSecrets(interviewId: string, token: string): Promise<void> {
  const history = textWithoutInputs(await fetchHistory(onboarding.temporal, interviewId));
  const log = await world.log();
  expect(log).toContain('Worker ready');
  for (const text of [history, log]) {
    expect(text.includes(token), 'token').toBe(false);
    expect(text.includes(API_KEY), 'API key').toBe(false);
  }
}

describe('SIGKILL of a worker during a finish', () => {
  it.each([
    ['after the effect', true, 'status', 1],
    ['before the effect', false, 'response', 2],
  ] as const)(
    'another worker finishes a session once after a SIGKILL %s of the finish',
    async (_, effect, confirmedBy, calls) => {
      const { interviewId, token } = await simulator.openSession();
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect });
      await onboarding.start({ interviewId, sessionToken: token });
      await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
      await world.killWorker();
      await world.startWorker();
      const { outcome, finish } = await onboarding.result(interviewId);
      expect({ outcome, confirmedBy: finish?.confirmedBy }).toEqual({ outcome: 'approved', confirmedBy });
      expect(simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(calls);
      expect(simulator.effects(interviewId).finished).toBe(1);
      await expectNoSecrets(interviewId, token);
    },
  );
});

describe('SIGTERM of a worker during a finish', () => {
  it('the call in flight ends after SIGTERM, and another worker completes the session', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 1_000 });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
    await world.stopWorker();
    await world.startWorker();
    expect(await onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'response' },
    });
    expect(simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
  });
});

describe('SIGKILL of the Temporal server', () => {
  it('a session that waits for a retry continues after the killed server restarts', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({
      operation: 'finishStatus',
      interviewId,
      kind: 'status',
      status: 503,
      headers: { 'retry-after': '4' },
    });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await onboarding.state(interviewId)).call?.nextAttemptAt).toBeTruthy();
    await world.killServer();
    await world.restartServer();
    const { outcome, finish } = await onboarding.result(interviewId);
    expect({ outcome, confirmedBy: finish?.confirmedBy }).toEqual({ outcome: 'approved', confirmedBy: 'response' });
    expect(simulator.effects(interviewId).finished).toBe(1);
    await expectNoSecrets(interviewId, token);
  });

  it('a session is finished once if server and worker are killed during the finish', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => simulator.effects(interviewId).finished).toBe(1);
    await Promise.all([world.killServer(), world.killWorker()]);
    await world.restartServer();
    await world.startWorker();
    expect(await onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'status' },
    });
    expect(simulator.effects(interviewId).finished).toBe(1);
  });
});
