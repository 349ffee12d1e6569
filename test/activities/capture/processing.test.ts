import { ApplicationFailureCategory } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
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

const REPEAT = { attempt: 2, afterMs: 30_000 };

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
  it('polls until the ID is processed', async () => {
    await using world = await startCaptureWorld({ timeScale: 1 });
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    const input = { ...session, processedWithinMs: 60_000 };
    const { failure } = await world.run(world.activities.awaitProcessed, input);
    expect(failure).toMatchObject({
      type: FAILURES.notProcessed,
      category: ApplicationFailureCategory.BENIGN,
      nonRetryable: false,
      nextRetryDelay: 3_000,
    });
    await world.simulator.advanceTime(3_000);
    expect((await world.run(world.activities.awaitProcessed, input, REPEAT)).result).toEqual({ finished: true });
  });

  it('gives up after the time that its caller allows', async () => {
    await using world = await startCaptureWorld({ timeScale: 1 });
    const session = await filled(world);
    await world.run(world.activities.processId, session);
    const input = { ...session, processedWithinMs: 60_000 };
    const last = await world.run(world.activities.awaitProcessed, input, { attempt: 9, afterMs: 58_000 });
    expect(last.failure).toMatchObject({ nextRetryDelay: 2_000 });
    const over = await world.run(world.activities.awaitProcessed, input, { attempt: 9, afterMs: 60_000 });
    expect(over.result).toEqual({ finished: false });
  });

  it('has the status confirm an ID that is said to be processed already', async () => {
    await using world = await startCaptureWorld();
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
