import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';
import { startReceiver } from './webhook-receiver.js';

const DAY = 86_400_000;
const START = { configurationId: 'flow-1', countryCode: 'ALL' };
const IMAGE = { base64Image: Buffer.from('a picture').toString('base64') };

const start = async (simulator: IncodeSimulator) => (await call(simulator, '/omni/start', { body: START })).body;
const finished = async (simulator: IncodeSimulator, token: string) =>
  (await call(simulator, '/omni/get/postprocess/isfinished', { token })).body.finished;

describe('a session with expiresAfterMs', () => {
  it('becomes EXPIRED, which only the status webhook reports', async () => {
    await using receiver = await startReceiver();
    await using simulator = await startIncodeSimulator({
      webhook: { url: receiver.url },
      sessionWebhook: { url: receiver.url },
    });
    const { interviewId } = await simulator.openSession({ expiresAfterMs: 7 * DAY });
    await simulator.advanceTime(7 * DAY - 60_000);
    expect(simulator.session(interviewId).onboardingStatus).toBe('UNKNOWN');
    await simulator.advanceTime(60_000);
    expect(simulator.session(interviewId).onboardingStatus).toBe('EXPIRED');
    expect(receiver.received.map(({ body }) => JSON.parse(body).onboardingStatus)).toEqual(['UNKNOWN', 'EXPIRED']);
  });

  it('refuses finish, uploads and processing once it has expired', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await simulator.openSession({ expiresAfterMs: DAY });
    await call(simulator, '/omni/add/front-id/v2', { token, body: IMAGE });
    await simulator.advanceTime(DAY);
    const statuses = [
      await call(simulator, '/omni/finish-status', { token }),
      await call(simulator, '/omni/add/back-id/v2', { token, body: IMAGE }),
      await call(simulator, '/omni/process/id', { token, body: {} }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([400, 400, 400]);
    expect(simulator.session(interviewId)).toMatchObject({ onboardingStatus: 'EXPIRED', effects: { finished: 0 } });
  });

  it('does not expire once it is finished or a person has decided', async () => {
    await using simulator = await startIncodeSimulator();
    const one = await simulator.openSession({ expiresAfterMs: DAY });
    await call(simulator, '/omni/finish-status', { token: one.token });
    const other = await simulator.openSession({ expiresAfterMs: DAY });
    simulator.setOnboardingStatus(other.interviewId, 'MANUAL_REVIEW_APPROVED');
    await simulator.advanceTime(2 * DAY);
    expect(simulator.session(one.interviewId).onboardingStatus).toBe('ONBOARDING_FINISHED');
    expect(simulator.session(other.interviewId).onboardingStatus).toBe('MANUAL_REVIEW_APPROVED');
  });

  it('expires after a restart of the simulator', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'simulator-'));
    const dataFile = join(directory, 'sessions.json');
    try {
      const before = await startIncodeSimulator({ dataFile });
      const { interviewId } = await before.openSession({ expiresAfterMs: 2 * DAY });
      await before.advanceTime(DAY);
      await before.close();
      await using after = await startIncodeSimulator({ dataFile });
      expect(after.session(interviewId).onboardingStatus).toBe('UNKNOWN');
      await after.advanceTime(DAY);
      expect(after.session(interviewId).onboardingStatus).toBe('EXPIRED');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('post-processing', () => {
  it('does not end before anything is captured in a session of POST /omni/start', async () => {
    await using simulator = await startIncodeSimulator();
    const { token } = await start(simulator);
    expect(await finished(simulator, token)).toBe(false);
    await simulator.advanceTime(30 * DAY);
    expect(await finished(simulator, token)).toBe(false);
  });

  it('ends some seconds after process/id', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await start(simulator);
    await call(simulator, '/omni/add/front-id/v2', { token, body: IMAGE });
    await simulator.advanceTime(DAY);
    expect(await finished(simulator, token)).toBe(false);
    await call(simulator, '/omni/process/id', { token, body: {} });
    expect(await finished(simulator, token)).toBe(false);
    await simulator.advanceTime(3_000);
    expect(await finished(simulator, token)).toBe(true);
    expect(simulator.session(interviewId).onboardingStatus).toBe('POST_PROCESSING_FINISHED');
  });

  it('ends without replacing the later milestone of government validation', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId, token } = await start(simulator);
    await call(simulator, '/omni/add/front-id/v2', { token, body: IMAGE });
    await call(simulator, '/omni/process/id', { token, body: {} });
    await call(simulator, '/omni/process/government-validation', { token, body: {} });
    await simulator.advanceTime(3_000);
    expect(await finished(simulator, token)).toBe(true);
    expect(simulator.session(interviewId).onboardingStatus).toBe('GOVERNMENT_VALIDATION_FINISHED');
  });

  it('ends after a second ID', async () => {
    await using simulator = await startIncodeSimulator();
    const { interviewId } = await simulator.openSession({ processedAfterMs: DAY });
    simulator.setOnboardingStatus(interviewId, 'ID_VALIDATION_FINISHED_SECOND_ID');
    await simulator.advanceTime(DAY);
    expect(simulator.session(interviewId).onboardingStatus).toBe('POST_PROCESSING_FINISHED');
  });
});
