import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaptureInput,
  captureWorkflowId,
  FAILURES,
  ONBOARDING_WORKFLOW,
  onboardingWorkflowId,
} from '../../../src/contract/index.js';
import { type CaptureWorld, failureOf, pinned, startCaptureWorld, stateOf } from '../../support/capture-world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('captureOnboarding', () => {
  it('opens a session, uploads three images, has them processed, and completes the session', async () => {
    const input = await world.person({ customFields: { branch: 'Boston' }, countryCode: 'USA' });
    const handle = await world.start(input);
    const result = await handle.result();
    const { interviewId, externalCustomerId } = result;
    expect(result).toEqual({
      reference: input.reference,
      interviewId: expect.any(String),
      externalCustomerId: expect.stringMatching(`^${input.reference}~[0-9a-f]{12}$`),
      onboarding: expect.objectContaining({ interviewId, outcome: 'approved', score: { status: 'OK', value: '94.6' } }),
      images: {
        front: expect.objectContaining({ assessment: 'accepted', typeOfId: 'IdentificationCard' }),
        back: expect.objectContaining({ assessment: 'accepted' }),
        selfie: expect.objectContaining({ assessment: 'accepted', confidence: 0 }),
      },
      digests: { front: [expect.any(String)], back: [expect.any(String)], selfie: [expect.any(String)] },
      idProcessed: true,
      face: { confidence: 1, existingUser: false, nameMatched: false, code: null },
      government: null,
      watchlist: null,
      suspectedOrphans: [],
    });
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
    expect(world.simulator.captures(interviewId)).toMatchObject({
      processed: { id: 1, face: 1, government: 0, watchlist: 0 },
      customFields: { branch: 'Boston' },
    });
    expect(world.simulator.sessions(externalCustomerId)).toHaveLength(1);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    expect(await stateOf(handle)).toMatchObject({ stage: 'done', outcome: 'approved', interviewId, needs: [] });
  });

  it('uploads no back for a passport, although there is an image of it', async () => {
    const input = await world.person();
    const { sha256 } = await pinned(world, input.front);
    world.simulator.script({ operation: 'addFrontId', sha256, answer: { typeOfId: 'Passport' } });
    const { interviewId, images } = await world.run(input);
    expect(images).toMatchObject({ front: { typeOfId: 'Passport' }, back: null });
    expect(world.uploads(interviewId)).toEqual(['front', 'face']);
  });

  it('uploads a front only, and compares no face without a selfie', async () => {
    const { reference, front } = await world.person();
    const result = await world.run({ reference, front });
    expect(result).toMatchObject({ idProcessed: true, face: null, onboarding: { outcome: 'approved' } });
    expect(result.images).toMatchObject({ back: null, selfie: null });
    expect(world.uploads(result.interviewId)).toEqual(['front']);
    expect(world.simulator.captures(result.interviewId).processed.face).toBe(0);
  });

  it('asks the registry and the watchlists if the plan says so', async () => {
    const input = await world.person({ plan: { government: true, watchlist: true } });
    expect(await world.run(input)).toMatchObject({
      government: { valid: true, statusCode: 0 },
      watchlist: { hits: 0 },
    });
  });

  it('goes on without the registry if Incode refuses to ask it', async () => {
    const input = await world.person({ plan: { government: true } });
    world.simulator.fault({ operation: 'governmentValidation', kind: 'status', status: 400 });
    expect(await world.run(input)).toMatchObject({
      government: { valid: null, statusCode: null },
      onboarding: { outcome: 'approved' },
    });
  });

  it('hands the plan of the session to its workflow', async () => {
    const { onboarding } = await world.run(await world.person({ plan: { close: true, score: false } }));
    expect(onboarding).toMatchObject({ closed: true, score: null });
  });

  it('uses the flow of the person, or that of the worker', async () => {
    const [own, other] = [await world.person({ configurationId: 'flow-of-the-person' }), await world.person()];
    await Promise.all([world.run(own), world.run(other)]);
    expect([own, other].flatMap((input) => world.sessionsOf(input)).map(({ flowId }) => flowId)).toEqual([
      'flow-of-the-person',
      'flow-of-the-worker',
    ]);
  });

  it('goes on with a fresh token if Incode refuses that of the session', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'addFace', kind: 'status', status: 401 });
    const { interviewId, suspectedOrphans } = await world.run(input);
    expect(world.sessionsOf(input).map((session) => session.interviewId)).toEqual([interviewId]);
    expect(suspectedOrphans).toEqual([]);
  });

  it('waits in needsToken, and loses nobody, while Incode refuses every token', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'addFace', kind: 'status', status: 401, times: 4 });
    const handle = await world.start(input);
    await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsToken');
    const { waitingFor, deadline } = await stateOf(handle);
    expect(waitingFor).toMatch(/^a session token that Incode accepts: it has refused [23] in a row$/);
    expect(Date.parse(String(deadline))).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000);
    const { interviewId, onboarding } = await handle.result();
    expect(onboarding).toMatchObject({ outcome: 'approved' });
    expect(world.sessionsOf(input).map((session) => session.interviewId)).toEqual([interviewId]);
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
    expect((await stateOf(handle)).timeline.map(({ event }) => event)).toContain(
      'Incode accepts the session token again',
    );
  });

  it('fails with the facts of the person if Incode refuses every token until the deadline', async () => {
    // A loaded machine needs seconds for three calls.
    const input = await world.person({ plan: { imageDeadline: '4s' } });
    world.simulator.fault({
      operation: 'processFace',
      externalCustomerId: input.reference,
      kind: 'status',
      status: 401,
      times: null,
    });
    const calls = () => world.simulator.callsOf(undefined, 'processFace').length;
    const before = calls();
    const failure = await failureOf(world.start(input));
    world.simulator.clearFaults();
    const [session] = world.sessionsOf(input);
    expect(failure.type).toBe(FAILURES.tokenRefused);
    expect(failure.details?.[0]).toMatchObject({ interviewId: session?.interviewId, suspectedOrphans: [] });
    expect(calls() - before).toBeGreaterThan(2);
  });

  it('leaves the session to its own workflow if a webhook has started that before', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 500, times: null });
    const handle = await world.start(input);
    await expect.poll(async () => (await stateOf(handle)).interviewId).not.toBeNull();
    const { interviewId } = await stateOf(handle);
    await world.temporal.workflow.start(ONBOARDING_WORKFLOW, {
      workflowId: onboardingWorkflowId(String(interviewId)),
      taskQueue: world.taskQueue,
      args: [{ interviewId, plan: { finishWhen: 'asked' } }],
    });
    world.simulator.clearFaults();
    expect(await handle.result()).toMatchObject({ interviewId, onboarding: null });
    await world.onboarding.finish({ interviewId: String(interviewId), plan: { finishWhen: 'asked' } });
    expect(await world.onboarding.result(String(interviewId))).toMatchObject({ outcome: 'approved' });
  });

  it.each([
    ['reference must be printable', { reference: 'Ann Müller' }],
    ['front.uri must have no query', { front: { uri: 'https://images.example/a.jpg?signature=5f3a' } }],
    ['plan.onRefusedImage must be one of', { plan: { onRefusedImage: 'later' } }],
  ])('refuses an input with "%s" and opens no session', async (message, part) => {
    const input = await world.person();
    const invalid = { ...input, ...part } as CaptureInput;
    const failure = await failureOf(world.start(invalid, captureWorkflowId(input.reference)));
    expect(failure).toMatchObject({ type: FAILURES.invalidInput, message: expect.stringContaining(message) });
    expect(world.sessionsOf(input)).toEqual([]);
  });

  it('fails for a person without a flow, if the worker has none either', async () => {
    await using bare = await startCaptureWorld({ worker: { INCODE_CONFIGURATION_ID: '' } });
    const failure = await failureOf(bare.start(await bare.person()));
    expect(failure).toMatchObject({ type: FAILURES.invalidInput, message: expect.stringContaining('configurationId') });
  });

  it('answers a second start with the workflow that runs', async () => {
    const input = await world.person();
    await world.start(input);
    await expect(world.start(input)).rejects.toThrow('already started');
    await world.onboarding.people.result(input.reference);
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('cancels the workflow of the session together with its own', async () => {
    const input = await world.person({ plan: { finishWhen: 'asked' } });
    const handle = await world.start(input);
    await expect.poll(async () => (await stateOf(handle)).stage).toBe('completing');
    const { interviewId } = await stateOf(handle);
    const session = world.temporal.workflow.getHandle(onboardingWorkflowId(String(interviewId)));
    await expect.poll(() => session.describe().then(({ status }) => status.name)).toBe('RUNNING');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect((await session.describe()).status.name).toBe('CANCELLED');
    expect(world.simulator.effects(String(interviewId)).finished).toBe(0);
  });

  it('leaves the session to its own workflow if somebody terminates it', async () => {
    const input = await world.person({ plan: { finishWhen: 'asked' } });
    const handle = await world.start(input);
    await expect.poll(async () => (await stateOf(handle)).stage).toBe('completing');
    const interviewId = String((await stateOf(handle)).interviewId);
    const session = world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId));
    await expect.poll(() => session.describe().then(({ status }) => status.name)).toBe('RUNNING');
    await handle.terminate();
    await world.onboarding.finish({ interviewId, plan: { finishWhen: 'asked' } });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  });

  it('fails with the failure of the session and the facts of the person', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 400 });
    const failure = await failureOf(world.start(input));
    const [session] = world.sessionsOf(input);
    expect(failure.type).toBe(FAILURES.badRequest);
    expect(failure.details?.[0]).toMatchObject({
      reference: input.reference,
      interviewId: session?.interviewId,
      operation: 'finishStatus',
      images: { front: { assessment: 'accepted' } },
    });
  });

  it.each([
    ['cancelled', 'Cancelled'],
    ['terminated', 'Terminated'],
  ] as const)(
    'names the session and the suspected orphan if somebody has %s the workflow of the session',
    async (how, type) => {
      const input = await world.person({ plan: { finishWhen: 'asked', findSessionWithin: '300ms' } });
      world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
      const handle = await world.start(input);
      await expect.poll(async () => (await stateOf(handle)).stage).toBe('completing');
      const [orphan, used] = world.sessionsOf(input);
      const session = world.temporal.workflow.getHandle(onboardingWorkflowId(String(used?.interviewId)));
      await expect.poll(() => session.describe().then(({ status }) => status.name)).toBe('RUNNING');
      await (how === 'cancelled' ? session.cancel() : session.terminate());
      const failure = await failureOf(Promise.resolve(handle));
      expect(failure).toMatchObject({
        type,
        message: `Person ${input.reference}: the workflow of session ${used?.interviewId} was ${how}`,
      });
      expect(failure.details?.[0]).toMatchObject({
        interviewId: used?.interviewId,
        suspectedOrphans: [{ externalCustomerId: orphan?.externalCustomerId, interviewId: null }],
      });
      expect((await stateOf(handle)).timeline.at(-2)?.event).toMatch(/^Failed: Person/);
    },
  );
});
