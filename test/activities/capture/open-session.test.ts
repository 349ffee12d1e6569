import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../../src/contract/index.js';
import { createCaptureClient } from '../../../src/incode/index.js';
import { startCaptureWorld } from '../../support/capture-activities.js';
import { serve } from '../../support/http.js';

const person = { reference: '4711', externalCustomerId: '4711#1', customFields: { branch: 'Boston' } };

/** Addresses of an Incode that cannot be reached. */
async function startEnds() {
  let requests = 0;
  const count = () => {
    requests += 1;
  };
  const tls = (name: string) => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url));
  const secure = createServer({ key: tls('server.key'), cert: tls('server.pem') }, count).listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const [plain, gone] = [await serve(count), await serve(count)];
  await gone[Symbol.asyncDispose]();
  return {
    refused: gone.url,
    dns: 'https://nobody.invalid',
    noTls: plain.url.replace('http:', 'https:'),
    untrusted: `https://127.0.0.1:${(secure.address() as AddressInfo).port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      secure.close();
      await plain[Symbol.asyncDispose]();
    },
  };
}

describe('openSession', () => {
  it('opens one session with what it was given', async () => {
    await using world = await startCaptureWorld();
    const { result } = await world.run(world.activities.openSession, { ...person, countryCode: 'USA' });
    const sessions = world.simulator.sessions('4711#1');
    expect(sessions).toMatchObject([{ interviewId: result?.interviewId, flowId: 'flow' }]);
    expect(result).toEqual({
      interviewId: sessions[0]?.interviewId,
      sessionToken: expect.stringMatching(/./),
      issuedByIncode: true,
    });
    expect(world.simulator.captures(String(result?.interviewId)).customFields).toEqual({ branch: 'Boston' });
  });

  it('reports the suspected orphan of a lost answer once, and none without one', async () => {
    const events: string[] = [];
    await using world = await startCaptureWorld({}, { observe: ({ type }) => void events.push(type) });
    const { openSession } = world.activities;
    await world.run(openSession, person);
    expect(events).toEqual([]);
    await world.run(openSession, { ...person, afterLostAnswer: true });
    const again = { attempt: 2, afterMs: 1_000, heartbeatDetails: { nothingOpenedUntil: 1 } };
    await world.run(openSession, { ...person, afterLostAnswer: true }, again);
    expect(events).toEqual(['suspectedOrphan']);
  });

  it('uses the reference if there is no id for the attempt, and the flow of the person', async () => {
    await using world = await startCaptureWorld();
    await world.run(world.activities.openSession, { reference: '4711', configurationId: 'other' });
    expect(world.simulator.sessions('4711')).toMatchObject([{ flowId: 'other' }]);
  });

  it('asks for task queues per endpoint when it opens a session, and when it takes one over', async () => {
    await using world = await startCaptureWorld({}, { rateLimitPerEndpoint: true });
    const { result } = await world.run(world.activities.openSession, person);
    expect(result).toMatchObject({ perEndpoint: true });
    const { interviewId = '' } = result ?? {};
    const taken = await world.run(world.activities.openSession, { ...person, interviewId });
    expect(taken.result).toMatchObject({ interviewId, perEndpoint: true });
  });

  it('fails for good without a flow, and sends nothing', async () => {
    await using world = await startCaptureWorld({}, { configurationId: undefined as never });
    const { failure } = await world.run(world.activities.openSession, person);
    expect(failure).toMatchObject({ type: FAILURES.invalidInput, nonRetryable: true });
    expect(world.simulator.calls).toEqual([]);
  });

  it.each([
    ['it is reset after its effect', { kind: 'reset', effect: true }, 1],
    ['it is reset before its effect', { kind: 'reset' }, 0],
    ['it is answered in part', { kind: 'truncated' }, 1],
    ['it is answered with 500', { kind: 'status', status: 500 }, 0],
    ['it is answered with 503 after its effect', { kind: 'status', status: 503, effect: true }, 1],
    ['a gateway answers 408 after its effect', { kind: 'status', status: 408, effect: true }, 1],
    ['a gateway answers 499 after its effect', { kind: 'status', status: 499, effect: true }, 1],
    ['it is answered with 303 after its effect', { kind: 'status', status: 303, effect: true }, 1],
    ['it is answered with 304', { kind: 'status', status: 304 }, 0],
  ] as const)('says that a session may have been opened if %s, and is not retried', async (_, fault, opened) => {
    await using world = await startCaptureWorld();
    world.simulator.fault({ operation: 'start', ...fault });
    const { failure, left } = await world.run(world.activities.openSession, person);
    expect(failure).toMatchObject({
      type: FAILURES.maybeOpened,
      nonRetryable: true,
      message: expect.stringMatching(/^Person 4711: Incode may have opened a session\. start: Incode /),
      details: [{ interviewId: '', reference: '4711', operation: 'start' }],
    });
    expect(left).toBeUndefined();
    expect(world.simulator.sessions()).toHaveLength(opened);
  });

  it.each([
    [400, FAILURES.badRequest, true],
    // The request has no session token that could be refused.
    [401, FAILURES.apiKeyRefused, false],
    [403, FAILURES.apiKeyRefused, false],
    [429, FAILURES.notTaken, false],
    [302, FAILURES.misconfigured, false],
  ] as const)(
    'says that no session was opened if Incode answers %i, with the type %s',
    async (status, type, nonRetryable) => {
      await using world = await startCaptureWorld();
      world.simulator.fault({ operation: 'start', kind: 'status', status });
      const { failure, left } = await world.run(world.activities.openSession, person, { attempt: 1 });
      expect(failure).toMatchObject({ type, nonRetryable, message: expect.stringMatching(/^Person 4711: start: /) });
      expect(failure).toMatchObject({ details: [{ reference: '4711', operation: 'start', httpStatus: status }] });
      expect(left).toEqual({ nothingOpenedUntil: 1 });
    },
  );

  it.each([
    ['the connection is refused', 'refused'],
    ['the host has no address', 'dns'],
    ['the server speaks no TLS', 'noTls'],
    ['the certificate is not trusted', 'untrusted'],
  ] as const)('is repeated by the retry policy if %s, because nothing was sent', async (_, end) => {
    await using ends = await startEnds();
    const capture = createCaptureClient({ baseUrl: ends[end], apiKey: 'key' });
    await using world = await startCaptureWorld({}, { capture });
    const { failure, left } = await world.run(world.activities.openSession, person);
    await capture.close();
    expect(failure).toMatchObject({ type: FAILURES.notTaken, nonRetryable: false });
    // The failure sets no delay, so the retry policy decides: one second at first, then longer.
    expect((failure as ApplicationFailure).nextRetryDelay ?? null).toBeNull();
    expect(left).toEqual({ nothingOpenedUntil: 1 });
    expect(ends.requests()).toBe(0);
    const next = { attempt: 2, afterMs: 1_000, heartbeatDetails: left };
    expect((await world.run(world.activities.openSession, person, next)).failure).toMatchObject({
      type: FAILURES.notTaken,
    });
  });

  it('sends again after an attempt that has opened nothing', async () => {
    await using world = await startCaptureWorld();
    const later = { attempt: 3, afterMs: 60_000, heartbeatDetails: { nothingOpenedUntil: 2 } };
    const { result } = await world.run(world.activities.openSession, person, later);
    expect(result?.interviewId).toBeDefined();
  });

  it.each([
    ['left no trace', 2, undefined],
    ['died while an earlier one had opened nothing', 3, { nothingOpenedUntil: 1 }],
    ['was under way', 2, { nothingOpenedUntil: 0 }],
    ['was before an operator reset the activity', 1, { nothingOpenedUntil: 4 }],
    ['was before an operator reset the activity, and left nothing', 1, undefined],
  ])('sends nothing if the attempt before %s', async (_, attempt, heartbeatDetails) => {
    await using world = await startCaptureWorld();
    const later = { attempt, afterMs: 60_000, heartbeatDetails };
    const { failure } = await world.run(world.activities.openSession, person, later);
    expect(failure).toMatchObject({ type: FAILURES.maybeOpened, nonRetryable: true });
    expect(world.simulator.calls).toEqual([]);
  });

  it('says in its heartbeats that it is under way, so that the next attempt sends nothing if this one dies', async () => {
    await using world = await startCaptureWorld({ latencyMs: 300 });
    const slow = { attempt: 2, heartbeatDetails: { nothingOpenedUntil: 1 }, afterMs: 1_000, heartbeatTimeoutMs: 30 };
    expect((await world.run(world.activities.openSession, person, slow)).left).toEqual({ nothingOpenedUntil: 0 });
  });

  it('ends as cancelled if its workflow cancels it', async () => {
    await using world = await startCaptureWorld();
    world.simulator.fault({ operation: 'start', kind: 'hang' });
    const details = { cancelRequested: true, workerShutdown: false };
    const { failure } = await world.run(world.activities.openSession, person, {
      during: (environment) => environment.cancel('CANCELLED', details as never),
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect((failure as Error).message).toBe('Person 4711: start was cancelled');
  });
});

describe('openSession with the id of a session', () => {
  async function lost() {
    const world = await startCaptureWorld();
    const { result } = await world.run(world.activities.openSession, person);
    return { world, interviewId: String(result?.interviewId) };
  }

  it('takes over that session', async () => {
    const { world, interviewId } = await lost();
    await using _ = world;
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId });
    expect(result).toEqual({ interviewId, sessionToken: expect.stringMatching(/./), issuedByIncode: true });
    expect(world.simulator.sessions()).toHaveLength(1);
  });

  it('is retried after a lost answer, although nobody knows what it sent', async () => {
    const { world, interviewId } = await lost();
    await using _ = world;
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    const { failure } = await world.run(world.activities.openSession, { ...person, interviewId });
    expect(failure).toMatchObject({ type: FAILURES.maybeRunning, nonRetryable: false });
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId }, { attempt: 2 });
    expect(result?.interviewId).toBe(interviewId);
  });

  it('returns the session that Incode opens instead', async () => {
    const { world, interviewId } = await lost();
    await using _ = world;
    world.simulator.setBehavior({ knownIdStart: 'newSession' });
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId });
    expect(result?.interviewId).not.toBe(interviewId);
    expect(world.simulator.sessions()).toHaveLength(2);
  });

  it.each([
    ['no earlier request for the first attempt', 1, undefined],
    ['each earlier attempt', 3, 2],
  ])('counts requests that may have opened a session too: %s', async (_, attempt, earlierRequests) => {
    const { world, interviewId } = await lost();
    await using _world = world;
    world.simulator.setBehavior({ knownIdStart: 'newSession' });
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId }, { attempt });
    expect(result?.earlierRequests).toBe(earlierRequests);
  });

  it('counts an earlier request after an operator has reset the activity', async () => {
    const { world, interviewId } = await lost();
    await using _ = world;
    world.simulator.setBehavior({ knownIdStart: 'newSession' });
    const again = { attempt: 1, afterMs: 60_000 };
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId }, again);
    expect(result?.earlierRequests).toBe(1);
  });

  it('counts no earlier request if Incode hands the session over', async () => {
    const { world, interviewId } = await lost();
    await using _ = world;
    const { result } = await world.run(world.activities.openSession, { ...person, interviewId }, { attempt: 3 });
    expect(result).not.toHaveProperty('earlierRequests');
  });
});
