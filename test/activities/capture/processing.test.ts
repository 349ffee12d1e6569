import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { type ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FAILURES } from '../../../src/contract/index.js';
import { type CaptureWorld, startCaptureWorld } from '../../support/capture-activities.js';

const IMAGES = { front: { uri: 'file:front.jpg' }, back: { uri: 'file:back.jpg' }, selfie: { uri: 'file:selfie.jpg' } };

/** A session with all of its images. */
async function filled({ run, activities }: CaptureWorld) {
  const { result: pinned } = await run(activities.pinImages<keyof typeof IMAGES>, {
    reference: '4711',
    images: IMAGES,
  });
  const { result } = await run(activities.openSession, { reference: '4711' });
  const session = { interviewId: String(result?.interviewId), sessionToken: String(result?.sessionToken) };
  await run(activities.uploadFront, { ...session, image: pinned?.front as never });
  await run(activities.uploadBack, { ...session, image: pinned?.back as never });
  await run(activities.uploadSelfie, { ...session, image: pinned?.selfie as never });
  return session;
}

/** The attempt before has ended, and the settle time has passed since. */
const REPEAT = { attempt: 2, afterMs: 30_000, heartbeatDetails: { endedAttempt: 1 } };

/** The worker of the attempt before died. */
const AFTER_DEATH = { attempt: 2, afterMs: 12_000, heartbeatTimeoutMs: 10_000 };

describe('processId', () => {
  it('reports an ID whose processing has started', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    const { result } = await world.run(world.activities.processId, session);
    expect(result).toEqual({ result: 'started', code: null });
    expect(world.simulator.callsOf(session.interviewId, 'onboardingStatus')).toEqual([]);
  });

  it('reads the status before it repeats, and sends nothing if the ID was processed', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'processId', kind: 'reset', effect: true });
    const { failure } = await world.run(world.activities.processId, session);
    expect(failure).toMatchObject({ type: FAILURES.maybeRunning, nonRetryable: false, nextRetryDelay: 30_000 });
    const { result } = await world.run(world.activities.processId, session, REPEAT);
    expect(result).toEqual({ result: 'alreadyProcessed', code: null });
    expect(world.simulator.callsOf(session.interviewId, 'processId')).toHaveLength(1);
  });

  it('repeats if the status tells of no processing', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'processId', kind: 'reset' });
    await world.run(world.activities.processId, session);
    const { result } = await world.run(world.activities.processId, session, REPEAT);
    expect(result).toEqual({ result: 'started', code: null });
    expect(world.simulator.captures(session.interviewId).processed.id).toBe(1);
  });

  it('relies on the refusal of Incode if the session was processed before with other images', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    const { result } = await world.run(world.activities.processId, { ...session, again: true }, REPEAT);
    expect(result).toEqual({ result: 'alreadyProcessed', code: null });
    expect(world.simulator.callsOf(session.interviewId, 'processId')).toHaveLength(2);
  });

  /** Incode's words for it are not documented. */
  const REFUSED = { operation: 'processId', kind: 'status', status: 400, message: 'Being processed' } as const;

  it('assumes that an earlier attempt took effect if Incode refuses a repeat in unknown words', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault(REFUSED);
    const { result } = await world.run(world.activities.processId, session, REPEAT);
    expect(result).toEqual({ result: 'alreadyProcessed', code: null, assumed: true });
  });

  it('fails if Incode refuses the first request in unknown words', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault(REFUSED);
    const { failure } = await world.run(world.activities.processId, session);
    expect(failure).toMatchObject({ type: FAILURES.badRequest, nonRetryable: true });
  });

  it('reports an ID that cannot be processed', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.script({ operation: 'processId', code: 6_000 });
    const { result } = await world.run(world.activities.processId, session);
    expect(result).toEqual({ result: 'failed', code: 6_000 });
  });

  it('retries an API key that is refused after a minute, and waits no settle time', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.setApiKeys(['other']);
    const { failure } = await world.run(world.activities.processId, session);
    expect(failure).toMatchObject({ type: FAILURES.apiKeyRefused, nonRetryable: false, nextRetryDelay: 60_000 });
  });
});

describe('awaitProcessed', () => {
  /** Longer than an attempt may last, so that each attempt asks once. */
  const SLOW = { processIdPollMs: 7_000 };
  const NOT_YET = { operation: 'isFinished', kind: 'body', body: '{"finished": false}' } as const;

  it('asks several times in one attempt, because Temporal bills each attempt', async () => {
    await using world = await startCaptureWorld({}, { processIdPollMs: 20 });
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    world.simulator.fault({ ...NOT_YET, times: 3 });
    const input = { ...session, processedWithinMs: 60_000 };
    const { result, left } = await world.run(world.activities.awaitProcessed, input, { heartbeatTimeoutMs: 10_000 });
    expect(result).toEqual({ finished: true });
    expect(world.simulator.callsOf(session.interviewId, 'isFinished')).toHaveLength(4);
    // A heartbeat would be billed too.
    expect(left).toBeUndefined();
  });

  it('fails an attempt in time for the heartbeat, and polls until the ID is processed', async () => {
    await using world = await startCaptureWorld({}, { processIdPollMs: 2_500 });
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    world.simulator.fault({ ...NOT_YET, times: 3 });
    const input = { ...session, processedWithinMs: 60_000 };
    const { failure } = await world.run(world.activities.awaitProcessed, input);
    expect(failure).toMatchObject({
      type: FAILURES.notProcessed,
      category: ApplicationFailureCategory.BENIGN,
      nonRetryable: false,
      nextRetryDelay: 2_500,
    });
    expect(world.simulator.callsOf(session.interviewId, 'isFinished')).toHaveLength(3);
    expect((await world.run(world.activities.awaitProcessed, input, REPEAT)).result).toEqual({ finished: true });
  });

  it('gives up after the time that its caller allows, also within an attempt', async () => {
    await using world = await startCaptureWorld({}, SLOW);
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    world.simulator.fault({ ...NOT_YET, times: null });
    const input = { ...session, processedWithinMs: 60_000 };
    const last = await world.run(world.activities.awaitProcessed, input, { attempt: 9, afterMs: 53_500 });
    const { nextRetryDelay } = last.failure as { nextRetryDelay: number };
    expect(nextRetryDelay).toBeGreaterThan(6_000);
    expect(nextRetryDelay).toBeLessThanOrEqual(6_500);
    for (const afterMs of [59_900, 60_000]) {
      const over = await world.run(world.activities.awaitProcessed, input, { attempt: 9, afterMs });
      expect(over.result).toEqual({ finished: false });
    }
  });

  it.each([
    ['its workflow cancels it', { cancelRequested: true, workerShutdown: false }, 'CancelledFailure'],
    ['the worker shuts down', { cancelRequested: false, workerShutdown: true }, 'ApplicationFailure'],
  ])('stops waiting if %s', async (_, details, name) => {
    await using world = await startCaptureWorld({}, { processIdPollMs: 5_000 });
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    world.simulator.fault({ ...NOT_YET, times: null });
    const { failure } = await world.run(
      world.activities.awaitProcessed,
      { ...session, processedWithinMs: 60_000 },
      {
        during: async (environment) => {
          await expect.poll(() => world.simulator.callsOf(session.interviewId, 'isFinished').length).toBe(1);
          environment.cancel('CANCELLED', details as never);
        },
      },
    );
    expect(failure).toMatchObject({ name, ...(name === 'ApplicationFailure' ? { nonRetryable: false } : {}) });
  });

  it('has the status confirm an ID that is said to be processed already', async () => {
    await using world = await startCaptureWorld({}, SLOW);
    const session = await filled(world);
    // Nothing is processed yet, so nothing is in progress either.
    const finished = JSON.stringify({ finished: true });
    world.simulator.fault({ operation: 'isFinished', kind: 'body', body: finished, times: null });
    const input = { ...session, processedWithinMs: 60_000, confirm: true as const };
    const { failure } = await world.run(world.activities.awaitProcessed, input);
    expect(failure).toMatchObject({ type: FAILURES.notProcessed });
    world.simulator.setOnboardingStatus(session.interviewId, 'FACE_VALIDATION_FINISHED');
    expect((await world.run(world.activities.awaitProcessed, input)).result).toEqual({ finished: true });
  });

  it('does not poll faster because a poll fails', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'isFinished', kind: 'status', status: 503 });
    const { failure } = await world.run(world.activities.awaitProcessed, { ...session, processedWithinMs: 60_000 });
    expect(failure).toMatchObject({ type: FAILURES.notTaken, nextRetryDelay: 3_000 });
  });
});

describe('processFace', () => {
  it('compares the faces, and may be repeated', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    for (const attempt of [{}, REPEAT]) {
      const { result } = await world.run(world.activities.processFace, session, attempt);
      expect(result).toEqual({ confidence: 1, existingUser: false, nameMatched: false, code: null });
    }
  });
});

describe('governmentValidation', () => {
  it.each([
    ['503', { kind: 'status', status: 503 }],
    ['503 with Retry-After', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }],
    ['408', { kind: 'status', status: 408 }],
    ['500', { kind: 'status', status: 500 }],
  ] as const)(
    'is repeated only after the settle time if a gateway answers %s, because each request may be billed',
    async (_, fault) => {
      await using world = await startCaptureWorld();
      const session = await filled(world);
      world.simulator.fault({ operation: 'governmentValidation', ...fault });
      const { failure, left } = await world.run(world.activities.governmentValidation, session);
      expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 30_000 });
      expect(left).toEqual({ endedAttempt: 1 });
    },
  );

  it('is repeated soon if it was certainly not sent', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'governmentValidation', kind: 'status', status: 429 });
    const { failure } = await world.run(world.activities.governmentValidation, session);
    expect((failure as ApplicationFailure).nextRetryDelay ?? null).toBeNull();
  });

  it('is not sent again if the status says that it was made', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'governmentValidation', kind: 'reset', effect: true });
    const { failure } = await world.run(world.activities.governmentValidation, session);
    expect(failure).toMatchObject({ type: FAILURES.maybeRunning, nextRetryDelay: 30_000 });
    const { result } = await world.run(world.activities.governmentValidation, session, REPEAT);
    expect(result).toEqual({ valid: null, statusCode: null });
    expect(world.simulator.captures(session.interviewId).processed.government).toBe(1);
  });

  it('returns what the registry says', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.script({ operation: 'governmentValidation', answer: { valid: false, statusCode: 3 } });
    const { result } = await world.run(world.activities.governmentValidation, session, REPEAT);
    expect(result).toEqual({ valid: false, statusCode: 3 });
  });
});

describe('watchlist', () => {
  it('is repeated only after the settle time if a gateway answers 503', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'watchlist', kind: 'status', status: 503 });
    const { failure } = await world.run(world.activities.watchlist, session);
    expect(failure).toMatchObject({ type: FAILURES.notTaken, nextRetryDelay: 30_000 });
  });

  it('is repeated after a lost answer', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'watchlist', kind: 'reset' });
    await world.run(world.activities.watchlist, session);
    expect((await world.run(world.activities.watchlist, session, REPEAT)).result).toEqual({ hits: 0 });
  });

  it('counts as made if Incode refuses a repeat', async () => {
    await using world = await startCaptureWorld({ behavior: { secondWatchlist: 'refused' } });
    const session = await filled(world);
    await world.run(world.activities.watchlist, session);
    expect((await world.run(world.activities.watchlist, session, REPEAT)).result).toEqual({ hits: null });
    const { failure } = await world.run(world.activities.watchlist, session);
    expect(failure).toMatchObject({ type: FAILURES.badRequest, nonRetryable: true });
  });
});

describe('a call of processing', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** A client whose server answers heartbeats. @param isCurrent whether the attempt is still the current one */
  function clientOf(isCurrent: boolean) {
    let heartbeats = 0;
    const inScope = (_: unknown, work: () => Promise<unknown>) => work();
    const heartbeat = async () => {
      heartbeats += 1;
      if (!isCurrent) throw new ActivityNotFoundError('not found');
    };
    const client = { withDeadline: inScope, withAbortSignal: inScope, activity: { heartbeat } } as unknown as Client;
    return { client, heartbeats: () => heartbeats };
  }

  const CALLS = ['processId', 'processFace', 'governmentValidation', 'watchlist'] as const;

  it.each(CALLS)('%s is not sent by a worker that was frozen while another one took over', async (operation) => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 40_000);
    const { client } = clientOf(false);
    const { failure } = await world.run(world.activities[operation] as Call, session, {
      client,
      heartbeatTimeoutMs: 10_000,
    });
    expect(failure).toMatchObject({
      type: FAILURES.notTaken,
      message: expect.stringContaining('the Temporal server has given this call to another worker'),
    });
    expect(world.simulator.callsOf(session.interviewId, operation)).toEqual([]);
  });

  it.each(['governmentValidation', 'watchlist'] as const)(
    '%s is sent by an attempt that begins late only if the server confirms the attempt, because each request may be billed',
    async (operation) => {
      await using world = await startCaptureWorld();
      const session = await filled(world);
      const late = { heartbeatTimeoutMs: 10_000 };
      const replaced = clientOf(false);
      await world.run(world.activities[operation] as Call, session, { ...late, client: replaced.client });
      expect(world.simulator.callsOf(session.interviewId, operation)).toEqual([]);
      const current = clientOf(true);
      await world.run(world.activities[operation] as Call, session, { ...late, client: current.client });
      expect(world.simulator.callsOf(session.interviewId, operation)).toHaveLength(1);
      expect(current.heartbeats()).toBe(1);
    },
  );

  it.each(CALLS)(
    '%s waits for the settle time after an attempt that died, because it may still run at Incode',
    async (operation) => {
      await using world = await startCaptureWorld();
      const session = await filled(world);
      const { failure, left } = await world.run(world.activities[operation] as Call, session, AFTER_DEATH);
      expect(failure).toMatchObject({
        type: FAILURES.settling,
        category: ApplicationFailureCategory.BENIGN,
        nextRetryDelay: 30_000,
      });
      expect(world.simulator.callsOf(session.interviewId, operation)).toEqual([]);
      const next = { attempt: 3, afterMs: 42_000, heartbeatDetails: left };
      expect((await world.run(world.activities[operation] as Call, session, next)).failure).toBeUndefined();
      expect(world.simulator.callsOf(session.interviewId, operation)).toHaveLength(1);
    },
  );

  it.each([
    ['before the reset', { attempt: 1, heartbeatDetails: { endedAttempt: 4 } }, { endedAttempt: 1 }],
    [
      'in the first attempt after the reset',
      { attempt: 2, heartbeatDetails: { endedAttempt: 0 } },
      { endedAttempt: 2 },
    ],
  ])('waits for the settle time after an operator has reset it and an attempt died %s', async (_, attempt, left) => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    const ended = await world.run(world.activities.governmentValidation, session, { ...attempt, afterMs: 60_000 });
    expect(ended).toMatchObject({ failure: { type: FAILURES.settling }, left });
  });

  it('leaves no record of an earlier attempt while it runs after a reset', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    const reset = { attempt: 1, afterMs: 60_000, heartbeatDetails: { endedAttempt: 1 } };
    await world.run(world.activities.processFace, session, reset);
    expect(world.said()).toMatch(/endedAttempt: 0[\s\S]*endedAttempt: 1/);
  });

  it('still waits for the settle time if the status could not be read after an attempt that died', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    world.simulator.fault({ operation: 'onboardingStatus', kind: 'status', status: 429 });
    const { failure, left } = await world.run(world.activities.governmentValidation, session, AFTER_DEATH);
    expect(failure).toMatchObject({ type: FAILURES.notTaken });
    const next = { attempt: 3, afterMs: 13_000, heartbeatDetails: left };
    expect((await world.run(world.activities.governmentValidation, session, next)).failure).toMatchObject({
      type: FAILURES.settling,
    });
  });

  it('sends nothing again after an attempt that died if the status shows that it took effect', async () => {
    await using world = await startCaptureWorld();
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    const { result } = await world.run(world.activities.processId, session, AFTER_DEATH);
    expect(result).toEqual({ result: 'alreadyProcessed', code: null });
  });
});

type Call = (session: { interviewId: string; sessionToken: string }) => Promise<unknown>;
