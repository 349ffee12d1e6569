import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { onboardingReceiver } from '../../../src/cli/local/receiver.js';
import { sessionStarted } from '../../../src/client/index.js';
import { CAPTURE_SIGNALS, type CaptureInput, type CapturePlan, FAILURES } from '../../../src/contract/index.js';
import { rowOfFailedPerson } from '../../../src/contract/person-row.js';
import type { Fault } from '../../../src/testing/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  failureOf,
  startCaptureWorld,
  stateOf,
} from '../../support/capture-world.js';
import { thrown } from '../../support/thrown.js';

let world: CaptureWorld;
beforeAll(async () => {
  // A lost answer is noticed after a second.
  world = await startCaptureWorld({ simulator: { timeScale: 0.01 } });
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.setBehavior({ knownIdStart: 'reissued' });
});

/** The webhook does not come, and the wait for it is short. */
const IMPATIENT: CapturePlan = { findSessionWithin: '300ms' };

/** The webhook comes long before the wait is over. */
const PATIENT: CapturePlan = { findSessionWithin: '1 hour' };

/** Comparisons of faces fail until the faults are cleared, so the person does not end meanwhile. */
const HELD: Fault = { operation: 'processFace', kind: 'status', status: 500, times: 1_000 };

function starts(): number {
  return world.simulator.callsOf(undefined, 'start').length;
}

/** Delivers the Session Started webhook of the person's only session, as a receiver does. */
async function announce(handle: CaptureHandle, input: CaptureInput): Promise<string> {
  await expect.poll(() => world.sessionsOf(input).length).toBe(1);
  await expect.poll(async () => (await stateOf(handle)).stage).toBe('findingSession');
  const [{ interviewId, externalCustomerId } = { interviewId: '', externalCustomerId: '' }] = world.sessionsOf(input);
  await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId, externalCustomerId });
  return interviewId;
}

/** Every way in which Incode can open a session and the answer gets lost. */
const LOST: [name: string, fault: Fault][] = [
  ['a reset', { operation: 'start', kind: 'reset', effect: true }],
  ['a request without an answer', { operation: 'start', kind: 'hang', effect: true }],
  ['status 500', { operation: 'start', kind: 'status', status: 500, effect: true }],
  ['status 503', { operation: 'start', kind: 'status', status: 503, effect: true }],
  ['status 504', { operation: 'start', kind: 'status', status: 504, effect: true }],
  ['half an answer', { operation: 'start', kind: 'truncated' }],
  ['an answer without a token', { operation: 'start', kind: 'body', body: '{"interviewId":"5f3a"}' }],
];

describe('a session whose start answer is lost', () => {
  it.each(LOST)('is taken over once its webhook comes, after %s', async (_, fault) => {
    const input = await world.person({ plan: PATIENT });
    world.simulator.fault(fault);
    const handle = await world.start(input);
    const interviewId = await announce(handle, input);
    const { externalCustomerId } = world.sessionsOf(input)[0] ?? {};
    expect(await handle.result()).toMatchObject({ interviewId, externalCustomerId, suspectedOrphans: [] });
    expect(world.sessionsOf(input)).toHaveLength(1);
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
  });

  it.each(LOST)('is named as a suspected orphan if no webhook comes, after %s', async (_, fault) => {
    const input = await world.person({ plan: IMPATIENT });
    world.simulator.fault(fault);
    const { interviewId, suspectedOrphans, onboarding } = await world.run(input);
    const [orphan, used] = world.sessionsOf(input);
    expect(used?.interviewId).toBe(interviewId);
    expect(suspectedOrphans).toEqual([{ externalCustomerId: orphan?.externalCustomerId, interviewId: null }]);
    expect(onboarding?.outcome).toBe('approved');
    expect(world.uploads(String(orphan?.interviewId))).toEqual([]);
  });

  it('is taken over if its webhook comes before the answer is known to be lost', async () => {
    const input = await world.person({ plan: PATIENT });
    world.simulator.fault({ operation: 'start', kind: 'hang', effect: true });
    const handle = await world.start(input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(1);
    expect((await stateOf(handle)).stage).toBe('starting');
    const [{ interviewId, externalCustomerId } = { interviewId: '' }] = world.sessionsOf(input);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId, externalCustomerId });
    expect(await handle.result()).toMatchObject({ interviewId, suspectedOrphans: [] });
  });

  it('is named with its id if its webhook comes after another one was opened', async () => {
    const input = await world.person({ plan: IMPATIENT });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    world.simulator.fault(HELD);
    const handle = await world.start(input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(2);
    const [orphan] = world.sessionsOf(input);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, orphan);
    world.simulator.clearFaults();
    expect((await handle.result()).suspectedOrphans).toEqual([
      { externalCustomerId: orphan?.externalCustomerId, interviewId: orphan?.interviewId },
    ]);
  });

  it.each(['newSession', 'refused'] as const)(
    'is an orphan if Incode does not hand it over: %s',
    async (knownIdStart) => {
      const input = await world.person({ plan: PATIENT });
      world.simulator.setBehavior({ knownIdStart });
      world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
      const handle = await world.start(input);
      const found = await announce(handle, input);
      const { interviewId, suspectedOrphans } = await handle.result();
      expect(interviewId).not.toBe(found);
      expect(suspectedOrphans).toMatchObject([{ interviewId: found }]);
      expect(world.sessionsOf(input)).toHaveLength(2);
    },
  );

  it('is waited for, although an earlier one was found and not handed over', async () => {
    const input = await world.person({ plan: PATIENT });
    world.simulator.setBehavior({ knownIdStart: 'refused' });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    const handle = await world.start(input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(1);
    // After the takeover, which Incode refuses.
    world.simulator.fault({ operation: 'start', skip: 1, kind: 'reset', effect: true });
    const first = await announce(handle, input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(2);
    await expect.poll(async () => (await stateOf(handle)).stage).toBe('findingSession');
    world.simulator.setBehavior({ knownIdStart: 'reissued' });
    const [, second] = world.sessionsOf(input);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, second);
    const { interviewId, suspectedOrphans } = await handle.result();
    expect(interviewId).toBe(second?.interviewId);
    expect(suspectedOrphans).toMatchObject([{ interviewId: first }]);
    expect(world.sessionsOf(input)).toHaveLength(2);
  });

  it('is taken over although the answer to the takeover is lost too', async () => {
    const input = await world.person({ plan: PATIENT });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true, times: 2 });
    const handle = await world.start(input);
    const interviewId = await announce(handle, input);
    expect(await handle.result()).toMatchObject({ interviewId, suspectedOrphans: [] });
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('is named together with each session that a repeated takeover opened instead', async () => {
    const input = await world.person({ plan: PATIENT });
    world.simulator.setBehavior({ knownIdStart: 'newSession' });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true, times: 2 });
    world.simulator.fault(HELD);
    const handle = await world.start(input);
    const found = await announce(handle, input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(3);
    const [{ externalCustomerId } = { externalCustomerId: '' }, unused, used] = world.sessionsOf(input);
    await expect.poll(async () => (await stateOf(handle)).interviewId).toBe(used?.interviewId);
    expect((await stateOf(handle)).suspectedOrphans).toEqual([
      { externalCustomerId, interviewId: found },
      { externalCustomerId, interviewId: null },
    ]);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, unused);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, used);
    world.simulator.clearFaults();
    const result = await handle.result();
    expect(result.interviewId).toBe(used?.interviewId);
    expect(result.suspectedOrphans).toHaveLength(2);
    expect(result.suspectedOrphans).toEqual(
      expect.arrayContaining([
        { externalCustomerId, interviewId: found },
        { externalCustomerId, interviewId: unused?.interviewId },
      ]),
    );
  });

  it.each(['cancel', 'terminate'] as const)(
    'is named by the state of a person who ends before the answer, by %s',
    async (end) => {
      const input = await world.person({ plan: PATIENT });
      world.simulator.fault({ operation: 'start', kind: 'hang', effect: true });
      const handle = await world.start(input);
      await expect.poll(() => world.sessionsOf(input).length).toBe(1);
      await handle[end]();
      await expect(handle.result()).rejects.toThrow();
      const [{ externalCustomerId } = { externalCustomerId: '' }] = world.sessionsOf(input);
      expect((await stateOf(handle)).suspectedOrphans).toEqual([{ externalCustomerId, interviewId: null }]);
    },
  );

  it.each(['cancel', 'terminate'] as const)(
    'is named, and another one that Incode may open instead, if a person ends while it is taken over, by %s',
    async (end) => {
      const input = await world.person({ plan: PATIENT });
      world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
      const handle = await world.start(input);
      await expect.poll(async () => (await stateOf(handle)).stage).toBe('findingSession');
      world.simulator.fault({ operation: 'start', kind: 'hang', times: null });
      const [{ interviewId, externalCustomerId } = { interviewId: '', externalCustomerId: '' }] =
        world.sessionsOf(input);
      await handle.signal(CAPTURE_SIGNALS.sessionStarted, {
        interviewId,
        externalCustomerId: String(externalCustomerId),
      });
      await expect.poll(async () => (await stateOf(handle)).stage).toBe('starting');
      await handle[end]();
      const suspectedOrphans = [
        { externalCustomerId, interviewId },
        { externalCustomerId, interviewId: null },
      ];
      const failure = await thrown(world.onboarding.people.result(input.reference));
      expect(failure).toMatchObject({ details: { interviewId: null, suspectedOrphans } });
      expect((await stateOf(handle)).suspectedOrphans).toEqual(suspectedOrphans);
      world.simulator.clearFaults();
    },
  );

  it('is not mixed up with the session of another person', async () => {
    const [input, other] = [await world.person({ plan: IMPATIENT }), await world.person()];
    const foreign = await world.run(other);
    world.simulator.fault({ operation: 'start', kind: 'reset' });
    const handle = await world.start(input);
    const { externalCustomerId } = foreign;
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId: foreign.interviewId, externalCustomerId });
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId: 'a b', externalCustomerId: 7 });
    expect((await handle.result()).interviewId).not.toBe(foreign.interviewId);
  });
});

describe('a session whose token Incode refuses', () => {
  it('fails the person with every session that exists if Incode opens another one instead of giving a token', async () => {
    const input = await world.person({ plan: IMPATIENT });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    world.simulator.fault(HELD);
    const handle = await world.start(input);
    await expect.poll(() => world.sessionsOf(input).length).toBe(2);
    const [lost, used] = world.sessionsOf(input);
    const interviewId = String(used?.interviewId);
    await expect.poll(() => world.simulator.callsOf(interviewId, 'processFace').length).toBeGreaterThan(0);
    world.simulator.setBehavior({ knownIdStart: 'newSession' });
    world.simulator.revokeTokens(interviewId);
    world.simulator.clearFaults();
    const failure = await failureOf(Promise.resolve(handle));
    const [, , opened] = world.sessionsOf(input);
    const suspectedOrphans = [
      { externalCustomerId: lost?.externalCustomerId, interviewId: null },
      { externalCustomerId: used?.externalCustomerId, interviewId: opened?.interviewId },
    ];
    expect(failure.type).toBe(FAILURES.wrongSession);
    expect(failure.details?.[0]).toMatchObject({
      reference: input.reference,
      interviewId,
      opened: opened?.interviewId,
      images: { front: { assessment: 'accepted' }, selfie: { assessment: 'accepted' } },
      suspectedOrphans,
    });
    expect(rowOfFailedPerson(input.reference, failure)).toMatchObject({ interviewId, suspectedOrphans });
  });
});

describe("Incode's session webhook", () => {
  it('leads a receiver to the workflow, which takes the session over', async () => {
    const receiver = onboardingReceiver(world.onboarding, { allowUnauthenticated: true, start: {} });
    const { url } = await receiver.listen();
    world.simulator.setSessionWebhook({ url: `${url}${receiver.paths.delivery}`, eventNames: 'words' });
    world.simulator.setWebhook({ url: `${url}${receiver.paths.delivery}` });
    try {
      const input = await world.person({ plan: PATIENT });
      world.simulator.fault({ operation: 'start', kind: 'hang', effect: true });
      const { interviewId, suspectedOrphans, onboarding } = await world.run(input);
      expect(world.sessionsOf(input).map((session) => session.interviewId)).toEqual([interviewId]);
      expect(suspectedOrphans).toEqual([]);
      // The receiver has started no other workflow for the session, although it starts unknown ones.
      expect(onboarding?.outcome).toBe('approved');
    } finally {
      world.simulator.setSessionWebhook(null);
      world.simulator.setWebhook(null);
      await receiver.close();
    }
  });

  it('tells whether there is such a person', async () => {
    const [attempt, interviewId] = ['0123456789ab', 'i'];
    const started = (reference: string) =>
      sessionStarted(world.temporal, { interviewId, externalCustomerId: `${reference}~${attempt}` });
    const { reference } = await world.run(await world.person());
    expect(await started('nobody')).toBe('unknownSession');
    expect(await started(reference)).toBe('ended');
    await expect(sessionStarted(world.temporal, { interviewId, externalCustomerId: reference })).rejects.toThrow(
      'externalCustomerId must be a reference',
    );
  });
});

describe('a start request that opened nothing', () => {
  it('is repeated after 429, and nothing is suspected', async () => {
    const input = await world.person();
    const before = starts();
    world.simulator.fault({ operation: 'start', kind: 'status', status: 429, times: 2 });
    const { suspectedOrphans, interviewId } = await world.run(input);
    expect(suspectedOrphans).toEqual([]);
    expect(starts() - before).toBe(3);
    expect(world.sessionsOf(input).map((session) => session.interviewId)).toEqual([interviewId]);
  });

  it('fails the person if Incode refuses it for good, with the facts', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'start', kind: 'status', status: 400 });
    const failure = await failureOf(world.start(input));
    expect(failure.type).toBe(FAILURES.badRequest);
    expect(failure.details?.[0]).toMatchObject({
      reference: input.reference,
      interviewId: null,
      operation: 'start',
      httpStatus: 400,
      suspectedOrphans: [],
    });
  });
});
