import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fault, type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { call } from './simulator-client.js';

let simulator: IncodeSimulator;

beforeAll(async () => {
  // Here Incode's limit for a request is 300 ms.
  simulator = await startIncodeSimulator({ timeScale: 0.01 });
});
afterAll(() => simulator.close());

const FINISH = '/omni/finish-status';

/** @returns the answer of one finish-status with a fault, and how often it had taken effect when the answer came */
async function struck(fault: Fault) {
  const { interviewId, token } = await simulator.openSession();
  simulator.fault({ interviewId, ...fault });
  const answer = await call(simulator, FINISH, { token }).catch((error: Error) => ({ error }));
  const finished = simulator.effects(interviewId).finished;
  const [logged] = simulator.callsOf(interviewId);
  return { interviewId, token, answer, finished, logged };
}

describe('the option effect', () => {
  const SHOWN: [string, Fault, number | 'fails', { before: number; after: number; byDefault: number }][] = [
    ['hang', { kind: 'hang' }, 'fails', { before: 0, after: 1, byDefault: 0 }],
    ['status', { kind: 'status', status: 503 }, 503, { before: 0, after: 1, byDefault: 0 }],
    ['reset', { kind: 'reset' }, 'fails', { before: 0, after: 1, byDefault: 0 }],
    ['truncated', { kind: 'truncated' }, 'fails', { before: 0, after: 1, byDefault: 1 }],
    ['body', { kind: 'body', body: '[]' }, 200, { before: 0, after: 1, byDefault: 1 }],
    ['huge', { kind: 'huge' }, 200, { before: 0, after: 1, byDefault: 1 }],
    ['redirect', { kind: 'redirect', location: 'https://example.com/' }, 302, { before: 0, after: 1, byDefault: 0 }],
  ];

  it.each(SHOWN)('decides whether a call with the fault "%s" takes effect', async (kind, fault, shown, expected) => {
    for (const [when, effect] of Object.entries({
      before: { effect: false },
      after: { effect: true },
      byDefault: {},
    })) {
      const { answer, finished, logged } = await struck({ ...fault, ...effect } as Fault);
      expect('status' in answer ? answer.status : 'fails', when).toBe(shown);
      expect(finished, when).toBe(expected[when as keyof typeof expected]);
      expect(logged, when).toMatchObject({ fault: kind, httpStatus: shown === 'fails' ? null : shown });
    }
  });
});

describe('the fault status', () => {
  it('has the error body of Incode by default', async () => {
    const { answer } = await struck({ kind: 'status', status: 503 });
    expect(answer).toMatchObject({
      body: { timestamp: expect.any(Number), status: 503, error: 'Service Unavailable' },
    });
  });

  it('answers with the HTML of a gateway if asked', async () => {
    const { answer } = await struck({ kind: 'status', status: 502, body: 'html' });
    expect(answer).toMatchObject({ body: expect.stringContaining('<h1>502 Bad Gateway</h1>') });
    expect('headers' in answer && answer.headers.get('content-type')).toBe('text/html');
  });

  it('answers with an empty body if asked', async () => {
    expect((await struck({ kind: 'status', status: 504, body: 'empty' })).answer).toMatchObject({ body: '' });
    expect((await struck({ kind: 'status', status: 204 })).answer).toMatchObject({ status: 204, body: '' });
  });

  it('answers with the given headers', async () => {
    const { answer } = await struck({ kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    expect('headers' in answer && answer.headers.get('retry-after')).toBe('7');
  });
});

describe('the answer of a fault', () => {
  it('the fault "truncated" answers half of the JSON with the length of the whole', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'truncated' });
    const headers = {
      'content-type': 'application/json',
      'api-version': '1.0',
      'x-api-key': simulator.apiKey,
      'x-incode-hardware-id': token,
    };
    const sent = request(simulator.url + FINISH, { headers }).end();
    const [response] = await once(sent, 'response');
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await once(response, 'error');
    expect(Number(response.headers['content-length'])).toBeGreaterThan(text.length);
    expect(text).toMatch(/^\{"redirectionUrl"/);
    expect(() => JSON.parse(text)).toThrow();
  });

  it('the fault "huge" answers with the requested size', async () => {
    const { answer } = await struck({ kind: 'huge', bytes: 2_000_000 });
    expect('body' in answer && JSON.stringify(answer.body).length).toBeGreaterThan(2_000_000);
  });

  it('the fault "body" answers that body with 200', async () => {
    expect((await struck({ kind: 'body', body: '"x"' })).answer).toMatchObject({ status: 200, body: 'x' });
  });

  it('the fault "redirect" answers with the location', async () => {
    const { answer } = await struck({ kind: 'redirect', location: 'https://example.com/x', status: 307 });
    expect(answer).toMatchObject({ status: 307 });
    expect('headers' in answer && answer.headers.get('location')).toBe('https://example.com/x');
  });
});

describe('a late effect', () => {
  it('comes with the answer of the fault "latency"', async () => {
    const { answer, finished } = await struck({ kind: 'latency', ms: 100 });
    expect(answer).toMatchObject({ status: 200, body: { action: 'approved' } });
    expect(finished).toBe(1);
  });

  it('happens even if the caller has disconnected', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'latency', ms: 200 });
    const gone = new AbortController();
    const calling = call(simulator, FINISH, { token, signal: gone.signal });
    await expect.poll(() => simulator.callsOf(interviewId)).toHaveLength(1);
    gone.abort();
    await expect(calling).rejects.toThrow();
    await expect.poll(() => simulator.effects(interviewId).finished).toBe(1);
  });

  it.each<[string, Fault]>([
    ['after a reset', { kind: 'reset', effect: true, effectAfterMs: 100 }],
    ['after a gateway gave up', { kind: 'status', status: 504, body: 'html', effect: true, effectAfterMs: 100 }],
    ['while nothing is answered', { kind: 'hang', effect: true, effectAfterMs: 100 }],
  ])('happens %s', async (_, fault) => {
    const { interviewId } = await struck(fault);
    await expect.poll(() => simulator.effects(interviewId).finished).toBe(1);
  });

  it('never happens beyond the limit of a request, where the caller gets 504', async () => {
    const { interviewId, answer, finished } = await struck({ kind: 'latency', ms: 400 });
    expect(answer).toMatchObject({ status: 504 });
    expect(finished).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(simulator.effects(interviewId).finished).toBe(0);
  });

  it('never happens once the simulator is closed', async () => {
    const closing = await startIncodeSimulator();
    const { interviewId, token } = await closing.openSession();
    closing.fault({ kind: 'latency', ms: 50 });
    const calling = call(closing, FINISH, { token }).catch(() => undefined);
    await expect.poll(() => closing.calls).toHaveLength(1);
    await closing.close();
    await calling;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(closing.effects(interviewId).finished).toBe(0);
  });
});

describe('a fault', () => {
  const statuses = async (token: string, calls: number) => {
    const seen = [];
    for (let i = 0; i < calls; i++) seen.push((await call(simulator, FINISH, { token })).status);
    return seen;
  };

  it('applies to the next call, once, by default', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'status', status: 500 });
    expect(await statuses(token, 2)).toEqual([500, 200]);
  });

  it('skips `skip` calls and applies to `times` calls', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'status', status: 500, skip: 1, times: 2 });
    expect(await statuses(token, 4)).toEqual([200, 500, 500, 200]);
  });

  it('applies to all calls until the faults are cleared', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ interviewId, kind: 'status', status: 500, times: Number.POSITIVE_INFINITY });
    expect(await statuses(token, 3)).toEqual([500, 500, 500]);
    simulator.clearFaults();
    expect(await statuses(token, 1)).toEqual([200]);
  });

  it('applies in the order of fault(), whether it is for one session or for all', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ kind: 'status', status: 500, operation: 'finishStatus' });
    simulator.fault({ interviewId, kind: 'status', status: 502 });
    simulator.fault({ kind: 'status', status: 503 });
    expect(await statuses(token, 4)).toEqual([500, 502, 503, 200]);
  });

  it('applies only to its operation and its session', async () => {
    const { interviewId, token } = await simulator.openSession();
    const other = await simulator.openSession();
    simulator.fault({ interviewId, operation: 'score', kind: 'status', status: 500 });
    expect(await statuses(token, 1)).toEqual([200]);
    const scoreOf = (session: { interviewId: string; token: string }) =>
      call(simulator, `/omni/get/score?id=${session.interviewId}`, session);
    expect((await scoreOf(other)).status).toBe(200);
    expect((await scoreOf({ interviewId, token })).status).toBe(500);
  });
});

describe('an invalid fault', () => {
  it.each([
    [{ kind: 'explosion' }, 'fault.kind'],
    [{ kind: 'latency' }, 'fault.ms'],
    [{ kind: 'status', status: 99 }, 'fault.status'],
    [{ kind: 'reset', times: 0 }, 'fault.times'],
    [{ kind: 'reset', operation: 'finish' }, 'fault.operation'],
    [{ kind: 'reset', interviewID: 'x' }, 'fault.interviewID'],
  ])('is refused: %j', (fault, message) => {
    expect(() => simulator.fault(fault as Fault)).toThrow(message);
  });
});

it('latencyMs delays every answer, even beyond the limit of a request', async () => {
  await using slow = await startIncodeSimulator({ latencyMs: 30, timeScale: 0.000_1 });
  const { token } = await slow.openSession();
  expect((await call(slow, FINISH, { token })).status).toBe(200);
});
