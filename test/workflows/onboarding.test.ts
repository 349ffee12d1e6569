import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidInputError, SessionFailedError } from '../../src/client/index.js';
import { FAILURES, ONBOARDING_WORKFLOW, onboardingWorkflowId, SEARCH_ATTRIBUTES } from '../../src/contract/index.js';
import { passTime } from '../../src/testing/index.js';
import { attemptsOf, billableActions, fetchHistory } from '../support/history.js';
import { begin, handleOf } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('onboardingSession', () => {
  it.each([
    ['an approved', { action: 'approved', score: { status: 'OK', value: '94.6' } }, 'approved'],
    ['a rejected', { action: 'rejected', score: { status: 'FAIL', value: '12.1' } }, 'rejected'],
    ['a doubtful', { action: 'none', score: { status: 'WARN', value: '61.0' } }, 'needsReview'],
    ['an unknown', { action: 'none', score: { status: 'BRAND_NEW', value: '1.0' } }, 'undecided'],
  ])('decides by %s score', async (_, spec, outcome) => {
    const { interviewId, token } = await world.simulator.openSession({
      ...spec,
      redirectionUrl: 'https://example.com/next',
    });
    await world.onboarding.start({ interviewId, sessionToken: token });
    expect(await world.onboarding.result(interviewId)).toEqual({
      interviewId,
      outcome,
      finish: { action: spec.action, redirectionUrl: 'https://example.com/next', confirmedBy: 'response' },
      score: spec.score,
      closed: null,
      onboardingStatus: 'ONBOARDING_FINISHED',
      confirmedBy: 'incode',
      reason: `The score's overall status is ${spec.score.status}.`,
    });
    expect(world.simulator.effects(interviewId)).toEqual({ finished: 1, closed: 0, approved: 0 });
  });

  it('decides by the action and does not read the score if the plan has none', async () => {
    const { interviewId, token } = await world.simulator.openSession({ action: 'none' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    const { outcome, score } = await world.onboarding.result(interviewId);
    expect({ outcome, score }).toEqual({ outcome: 'undecided', score: null });
    expect(world.simulator.callsOf(interviewId).map(({ operation }) => operation)).toEqual([
      'onboardingStatus',
      'finishStatus',
    ]);
  });

  it('waits for the settle time when it finishes the session, however long the session has waited before', async () => {
    const { interviewId } = await begin(world, { verifyFirst: 'settle', plan: { finishWhen: 'asked', score: false } });
    await passTime(world.temporal, onboardingWorkflowId(interviewId), '1 hour');
    await handleOf(world, interviewId).executeUpdate('finish');
    const operations = world.simulator.callsOf(interviewId).map(({ operation }) => operation);
    expect(operations).toEqual(['onboardingStatus', 'onboardingStatus', 'finishStatus']);
  });

  it('closes the session between finishing and scoring if the plan says so', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    await world.onboarding.result(interviewId);
    const operations = world.simulator.callsOf(interviewId).map(({ operation }) => operation);
    expect(operations).toEqual(['onboardingStatus', 'finishStatus', 'closeSession', 'score']);
    expect(world.simulator.session(interviewId).sessionStatus).toBe('Closed');
  });

  it('publishes the outcome as a search attribute', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    const { typedSearchAttributes } = await world.temporal.workflow
      .getHandle(onboardingWorkflowId(interviewId))
      .describe();
    const found = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    expect(found).toMatchObject({ [SEARCH_ATTRIBUTES.stage]: 'done', [SEARCH_ATTRIBUTES.outcome]: 'approved' });
  });

  it.each([
    [false, 3],
    [true, 4],
  ])('a session with score %s costs %i billable actions', async (score, actions) => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score } });
    await world.onboarding.result(interviewId);
    expect(billableActions(await fetchHistory(world.temporal, interviewId))).toBe(actions);
  });
});

describe('the score', () => {
  it('polls the score until it is ready', async () => {
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: 500 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(world.simulator.callsOf(interviewId, 'score').length).toBeGreaterThan(1);
  });

  it('leaves the session undecided if it is not ready by its deadline', async () => {
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: 1_000_000 });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { scoreDeadline: '1s' } });
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'undecided',
      score: null,
      finish: { action: 'approved' },
      reason: 'Incode had no score within the score deadline.',
    });
  });
});

describe('the finish update', () => {
  it('answers before the score is ready', async () => {
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: 1_000_000 });
    expect(await world.onboarding.finish({ interviewId, sessionToken: token })).toEqual({
      action: 'approved',
      redirectionUrl: null,
      confirmedBy: 'response',
    });
    expect((await world.onboarding.state(interviewId)).state?.stage).toBe('scoring');
    await world.onboarding.cancel(interviewId);
  });

  it('finishes the session once if it is sent ten times at once', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const asked = Array.from({ length: 10 }, () => world.onboarding.finish({ interviewId, sessionToken: token }));
    const answers = await Promise.all(asked);
    const texts = answers.map((answer) => `${answer?.action} ${answer?.confirmedBy}`);
    expect(new Set(texts)).toEqual(new Set(['approved response']));
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('returns the same answer after the end of the session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const first = await world.onboarding.finish({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    expect(await world.onboarding.finish({ interviewId, sessionToken: token })).toMatchObject({ ...first });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('fails with the reason if Incode refuses the session', async () => {
    const { token } = await world.simulator.openSession({ interviewId: 'refused-by-finish' });
    world.simulator.fault({ operation: 'finishStatus', interviewId: 'refused-by-finish', kind: 'status', status: 404 });
    const failure = await thrown(world.onboarding.finish({ interviewId: 'refused-by-finish', sessionToken: token }));
    expect(failure).toBeInstanceOf(SessionFailedError);
    expect(failure.type).toBe(FAILURES.unknownSession);
  });

  it('answers null for an expired session', async () => {
    const { interviewId, token } = await world.simulator.openSession({ onboardingStatus: 'EXPIRED' });
    expect(await world.onboarding.finish({ interviewId, sessionToken: token })).toBeNull();
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', finish: null, score: null });
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });
});

describe('a token', () => {
  it('is waited for visibly if Incode refused the old one', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    const waiting = await world.onboarding.state(interviewId);
    expect(waiting.state?.waitingFor).toContain('renewToken');
    const { typedSearchAttributes } = await world.temporal.workflow
      .getHandle(onboardingWorkflowId(interviewId))
      .describe();
    expect(typedSearchAttributes.getAll().map(({ value }) => value)).toContain('needsToken');

    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    // The refused reads with and without the id, and the calls with the new token.
    const operations = world.simulator
      .callsOf(interviewId)
      .map(({ operation, httpStatus }) => `${operation} ${httpStatus}`);
    expect(operations).toEqual([
      'onboardingStatus 401',
      'onboardingStatus 401',
      'onboardingStatus 200',
      'finishStatus 200',
      'score 200',
    ]);
  });

  it('is waited for again if the new one is also refused', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, 'still-wrong');
    // The first token is read with and without the id, the second only with the id.
    await expect.poll(() => world.simulator.callsOf(interviewId).length).toBe(3);
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('is also waited for before the score is read', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status: 401 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'response' },
    });
  });

  it('is refused by the update if it is malformed, and the session keeps waiting', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    const handle = world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId));
    for (const wrong of [{ sessionToken: 'a\r\nx-api-key: b' }, { token: 'a' }, null]) {
      const refused = await thrown(handle.executeUpdate('renewToken', { args: [wrong] }));
      expect(refused.cause?.type).toBe(FAILURES.invalidInput);
    }
    expect((await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.cancel(interviewId);
  });
});

describe('input', () => {
  it.each([
    ['nothing', []],
    ['null', [null]],
    ['an unknown plan key', [{ interviewId: 'bad-input', plan: { finishWhen: 'later' } }]],
    ['a token with a line break', [{ interviewId: 'bad-input', sessionToken: 'a\nb' }]],
  ])('fails the workflow at once if it is %s', async (_, args) => {
    const handle = await world.temporal.workflow.start(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: `bad-input-${Math.random()}`,
      args,
    });
    const failed = await thrown(handle.result());
    expect(failed.cause?.type).toBe(FAILURES.invalidInput);
  });

  it('is refused with its field if it is invalid and arrives together with the update', async () => {
    const { WithStartWorkflowOperation } = await import('@temporalio/client');
    const startWorkflowOperation = new WithStartWorkflowOperation(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: `bad-input-${Math.random()}`,
      args: [{ interviewId: '' }],
      workflowIdConflictPolicy: 'FAIL',
    });
    const failed = await thrown(world.temporal.workflow.executeUpdateWithStart('finish', { startWorkflowOperation }));
    expect(failed.cause).toMatchObject({
      type: FAILURES.invalidInput,
      message: 'interviewId must be a non-empty string',
    });
  });

  it('is checked by the client before it sends anything', async () => {
    const before = world.simulator.calls.length;
    const { token } = await world.simulator.openSession({ tokenExpiresInMs: -1_000 });
    for (const [input, field] of [
      [{ interviewId: '' }, 'interviewId'],
      [{ interviewId: 'a', sessionToken: token }, 'sessionToken'],
      [{ interviewId: 'a', plan: { scores: true } }, 'plan.scores'],
    ] as const) {
      const refused = await thrown(world.onboarding.start(input as never));
      expect(refused).toBeInstanceOf(InvalidInputError);
      expect(refused.field).toBe(field);
    }
    expect(world.simulator.calls.length).toBe(before);
  });
});

describe('another workflow for the same session', () => {
  it('reads the status first and does not finish a finished session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    const result = await world.temporal.workflow.execute(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: `of-another-team/${interviewId}`,
      args: [{ interviewId, sessionToken: token }],
    });
    expect(result).toMatchObject({ outcome: 'approved', finish: { action: null, confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('cancellation', () => {
  it('ends a workflow whose finish is being retried', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => world.simulator.callsOf(interviewId).length).toBeGreaterThan(0);
    await world.onboarding.cancel(interviewId);
    const failed = await thrown(world.onboarding.result(interviewId));
    expect(failed).toMatchObject({ name: 'SessionFailedError', type: 'Cancelled' });
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('ends a workflow that waits for a token', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.cancel(interviewId);
    await expect(world.onboarding.result(interviewId)).rejects.toMatchObject({ type: 'Cancelled' });
  });

  it('fails waiting finish updates', async () => {
    const { interviewId } = await world.simulator.openSession();
    const asked = thrown(world.onboarding.finish({ interviewId }));
    await expect
      .poll(async () => (await world.onboarding.state(interviewId).catch(() => null))?.state?.stage)
      .toBe('needsToken');
    await world.onboarding.cancel(interviewId);
    expect(await asked).toMatchObject({ name: 'SessionFailedError' });
  });

  it('allows a new start, which reads the status first', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.cancel(interviewId);
    await world.onboarding.result(interviewId).catch(() => undefined);
    expect(await world.onboarding.start({ interviewId, sessionToken: token })).toMatchObject({ attached: false });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    const [first] = world.simulator.callsOf(interviewId);
    expect(first?.operation).toBe('onboardingStatus');
    expect(attemptsOf(await fetchHistory(world.temporal, interviewId), 'finishStatus')).toBe(2);
  });
});
