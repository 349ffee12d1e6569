import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';

const DAY = 86_400_000;

describe('the control API', () => {
  let simulator: IncodeSimulator;
  beforeAll(async () => {
    simulator = await startIncodeSimulator();
  });
  afterAll(() => simulator.close());

  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${simulator.url}/_simulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a foreign client takes JSON as it comes
    return { status: response.status, body: (await response.json()) as any };
  };
  const finish = async (token: string) => (await call(simulator, '/omni/finish-status', { token })).status;

  it('opens a session and returns it', async () => {
    const spec = { action: 'none', score: { status: 'WARN', value: '61.0' } };
    const { interviewId, token } = (await control('POST', 'sessions', spec)).body;
    expect(await finish(token)).toBe(200);
    expect((await control('GET', `sessions/${interviewId}`)).body).toEqual({
      interviewId,
      onboardingStatus: 'ONBOARDING_FINISHED',
      sessionStatus: 'Alive',
      score: { status: 'WARN', value: '61.0' },
      externalCustomerId: null,
      flowId: null,
      effects: { finished: 1, closed: 0, approved: 0 },
    });
  });

  it('sets the status of a session', async () => {
    const { interviewId } = await simulator.openSession();
    await control('POST', `sessions/${interviewId}/status`, { onboardingStatus: 'EXPIRED' });
    expect(simulator.session(interviewId).onboardingStatus).toBe('EXPIRED');
  });

  it('makes the score of a session ready', async () => {
    const { interviewId } = await simulator.openSession({
      onboardingStatus: 'ONBOARDING_FINISHED',
      scoreReadyAfterMs: null,
    });
    expect(simulator.session(interviewId).score.status).toBe('UNKNOWN');
    expect((await control('POST', `sessions/${interviewId}/score`, {})).body.score).toEqual({
      status: 'OK',
      value: '94.6',
    });
  });

  it('issues and revokes tokens', async () => {
    const { interviewId } = await simulator.openSession();
    const { token } = (await control('POST', `sessions/${interviewId}/tokens`, {})).body;
    const expired = (await control('POST', `sessions/${interviewId}/tokens`, { expiresInMs: -1 })).body.token;
    expect([await finish(token), await finish(expired)]).toEqual([200, 401]);
    await control('DELETE', `sessions/${interviewId}/tokens`);
    expect(await finish(token)).toBe(401);
  });

  it('adds faults, with null for unlimited, and clears them', async () => {
    const { token } = await simulator.openSession();
    await control('POST', 'faults', { operation: 'finishStatus', kind: 'status', status: 503, times: null });
    expect([await finish(token), await finish(token)]).toEqual([503, 503]);
    await control('DELETE', 'faults');
    expect(await finish(token)).toBe(200);
  });

  it('lists the calls of a session and counts all calls', async () => {
    const { interviewId, token } = await simulator.openSession();
    await finish(token);
    const { calls, counts } = (await control('GET', `calls?interviewId=${interviewId}`)).body;
    expect(calls).toMatchObject([{ interviewId, operation: 'finishStatus', httpStatus: 200 }]);
    expect(counts.finishStatus).toBe(simulator.counts.finishStatus);
    expect((await control('GET', `calls?interviewId=${interviewId}&operation=score`)).body.calls).toEqual([]);
  });

  it('sets API keys, rate limit and webhook', async () => {
    const { token } = await simulator.openSession();
    expect((await control('POST', 'api-keys', { keys: ['another'] })).status).toBe(200);
    expect(await finish(token)).toBe(403);
    await control('POST', 'api-keys', { keys: [simulator.apiKey] });
    await control('POST', 'rate-limit', { perSecond: 0.001, burst: 1 });
    expect([await finish(token), await finish(token)]).toEqual([200, 429]);
    await control('DELETE', 'rate-limit');
    expect(await finish(token)).toBe(200);

    await control('POST', 'webhook', { url: `${simulator.url}/nobody` });
    await finish(token);
    await expect
      .poll(async () => (await control('GET', 'deliveries')).body.deliveries)
      .toMatchObject([{ httpStatus: 404 }]);
    await control('DELETE', 'webhook');
  });

  it('reads and advances the clock', async () => {
    const { interviewId } = await simulator.openSession({ processedAfterMs: DAY });
    expect((await control('GET', 'clock')).body).toEqual({ now: expect.any(Number), advancedMs: 0 });
    const { status, body } = await control('POST', 'clock', { advanceMs: DAY });
    expect({ status, advancedMs: body.advancedMs }).toEqual({ status: 200, advancedMs: DAY });
    expect(Math.abs(body.now - Date.now() - DAY)).toBeLessThan(10_000);
    expect(simulator.session(interviewId).onboardingStatus).toBe('POST_PROCESSING_FINISHED');
  });

  it.each([
    ['POST', 'clock', {}, 400, 'milliseconds'],
    ['POST', 'clock', { advanceMs: -1 }, 400, 'milliseconds'],
    ['POST', 'clock', { advanceMs: '5' }, 400, 'milliseconds'],
    ['POST', 'sessions/SESSION/tokens', { expiresInMs: '5' }, 400, 'milliseconds'],
    ['POST', 'session-webhook', { url: 'http://127.0.0.1', eventNames: 'other' }, 400, 'sessionWebhook.eventNames'],
    ['POST', 'sessions', { expiresAfterMs: -1 }, 400, 'session.expiresAfterMs'],
    ['POST', 'sessions', { interviewID: 'x' }, 400, 'session.interviewID'],
    ['POST', 'faults', { kind: 'explosion' }, 400, 'fault.kind'],
    ['POST', 'faults', [], 400, 'JSON object'],
    ['POST', 'api-keys', {}, 400, 'API keys'],
    ['POST', 'rate-limit', {}, 400, 'rateLimit.perSecond'],
    ['POST', 'webhook', { url: 'nowhere' }, 400, 'webhook.url'],
    ['GET', 'sessions/unknown', undefined, 404, 'unknown'],
    ['GET', 'sessions/%E0%A4%A', undefined, 404, '%E0%A4%A'],
    ['GET', 'nothing', undefined, 404, 'GET calls'],
  ])('%s %s %j is refused with a reason', async (method, path, body, status, reason) => {
    const { interviewId } = await simulator.openSession();
    const answer = await control(method, path.replace('SESSION', interviewId), body);
    expect(answer).toEqual({ status, body: { error: expect.stringContaining(reason) } });
  });
});

describe('a web page of another origin', () => {
  let simulator: IncodeSimulator;
  beforeAll(async () => {
    simulator = await startIncodeSimulator();
  });
  afterAll(() => simulator.close());

  /** `fetch` may not set these headers. */
  const send = async (method: string, path: string, headers: Record<string, string>) => {
    const sent = request(`${simulator.url}${path}`, { method, headers: { 'content-type': 'text/plain', ...headers } });
    sent.end(method === 'POST' ? '{}' : undefined);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  const state = () => ({ counts: { ...simulator.counts }, behavior: simulator.behavior });

  it.each([
    ['POST', '/_simulator/sessions', { origin: 'https://evil.example' }],
    ['POST', '/_simulator/behavior', { origin: 'null' }],
    ['DELETE', '/_simulator/faults', { origin: 'http://127.0.0.1:1' }],
    ['POST', '/_simulator/sessions', { 'sec-fetch-site': 'cross-site' }],
    ['GET', '/omni/finish-status', { 'sec-fetch-site': 'same-site' }],
    ['POST', '/omni/start', { origin: 'http://evil.example:80', host: 'evil.example:80' }],
  ])('changes nothing by %s %s with %j', async (method, path, headers) => {
    const before = state();
    expect(await send(method, path, headers)).toBe(403);
    expect(state()).toEqual(before);
  });

  it('is refused, but not the simulator itself, an address typed into a browser, or a program', async () => {
    for (const headers of [
      { origin: simulator.url },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      {},
    ]) {
      expect(await send('POST', '/_simulator/sessions', headers)).toBe(200);
    }
  });
});

describe('the data file', () => {
  let directory: string;
  let dataFile: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'simulator-'));
    dataFile = join(directory, 'deep', 'sessions.json');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is written through a file with a random name, readable only by its owner', async () => {
    await mkdir(dirname(dataFile));
    const victim = join(directory, 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, `${dataFile}.new`);
    const simulator = await startIncodeSimulator({ dataFile });
    await simulator.openSession();
    await simulator.close();
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    const stats = await lstat(dataFile);
    expect(stats.isFile()).toBe(true);
    expect((stats.mode & 0o777).toString(8)).toBe('600');
  });

  it('removes the temporary file of a simulator that was killed', async () => {
    await mkdir(dirname(dataFile));
    await writeFile(`${dataFile}.${'ab'.repeat(16)}.new`, '');
    const simulator = await startIncodeSimulator({ dataFile });
    await simulator.close();
    expect(await readdir(dirname(dataFile))).toEqual(['sessions.json']);
  });

  it('keeps sessions and tokens across restarts', async () => {
    const before = await startIncodeSimulator({ dataFile });
    const { interviewId, token } = await before.openSession({ action: 'rejected' });
    await call(before, '/omni/finish-status', { token });
    await before.close();

    await using after = await startIncodeSimulator({ dataFile });
    expect(after.session(interviewId)).toMatchObject({ onboardingStatus: 'ONBOARDING_FINISHED' });
    expect((await call(after, '/omni/finish-status', { token })).body.action).toBe('rejected');
    expect(after.effects(interviewId).finished).toBe(2);
  });

  it('keeps what a session has received, and never an image', async () => {
    const before = await startIncodeSimulator({ dataFile });
    const body = { configurationId: 'f', customFields: { branch: 'north' } };
    const { interviewId, token } = (await call(before, '/omni/start', { body })).body;
    const base64Image = Buffer.from('a canary in the image').toString('base64');
    await call(before, '/omni/add/front-id/v2', { token, body: { base64Image } });
    const captures = before.captures(interviewId);
    await before.close();

    await using after = await startIncodeSimulator({ dataFile });
    expect(captures).toMatchObject({ attempts: { front: 1 }, customFields: { branch: 'north' } });
    expect(after.captures(interviewId)).toEqual(captures);
    const file = await readFile(dataFile, 'utf8');
    for (const canary of ['canary', base64Image.slice(0, 20)]) expect(file).not.toContain(canary);
  });

  it('can be from a version that did not record captures', async () => {
    const before = await startIncodeSimulator({ dataFile });
    const { interviewId, token } = await before.openSession();
    await before.close();
    const saved = JSON.parse(await readFile(dataFile, 'utf8'));
    delete saved.sessions[0].capture;
    await writeFile(dataFile, JSON.stringify(saved));

    await using after = await startIncodeSimulator({ dataFile });
    await call(after, '/omni/add/front-id/v2', { token, body: { base64Image: 'QUJD' } });
    expect(after.captures(interviewId).attempts.front).toBe(1);
  });

  it('writes the data file soon after a change', async () => {
    await using before = await startIncodeSimulator({ dataFile });
    const { interviewId } = await before.openSession();
    await expect.poll(() => readdir(join(directory, 'deep'))).toEqual(['sessions.json']);
    await using killed = await startIncodeSimulator({ dataFile });
    expect(killed.session(interviewId).interviewId).toBe(interviewId);
  });

  it('lets processing and review continue after a restart', async () => {
    const before = await startIncodeSimulator({ dataFile });
    const processing = await before.openSession({ processedAfterMs: 300 });
    const reviewed = await before.openSession({ manualReview: { verdict: 'APPROVED', afterMs: 300 } });
    await call(before, '/omni/finish-status', { token: reviewed.token });
    await before.close();

    await using after = await startIncodeSimulator({ dataFile });
    await expect.poll(() => after.session(processing.interviewId).onboardingStatus).toBe('POST_PROCESSING_FINISHED');
    await expect.poll(() => after.session(reviewed.interviewId).onboardingStatus).toBe('MANUAL_REVIEW_APPROVED');
  });

  it('is named if it cannot be read, and the port is free again', async () => {
    const broken = join(directory, 'broken.json');
    await writeFile(broken, '{');
    const free = await startIncodeSimulator();
    await free.close();
    await expect(startIncodeSimulator({ dataFile: broken, port: free.port })).rejects.toThrow(broken);
    await using again = await startIncodeSimulator({ port: free.port });
    expect(again.port).toBe(free.port);
  });
});

it('startIncodeSimulator rejects if the port is taken', async () => {
  await using first = await startIncodeSimulator();
  await expect(startIncodeSimulator({ port: first.port })).rejects.toThrow('EADDRINUSE');
});

it('close can be called twice', async () => {
  const simulator = await startIncodeSimulator();
  await simulator.close();
  await simulator.close();
});
