import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { encode } from '@temporalio/common/lib/encoding.js';
import { expect } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import { ONBOARDING_WORKFLOW, onboardingWorkflowId } from '../../src/contract/index.js';
import { executiveLogIn } from '../../src/incode/index.js';
import type { SessionSpec, SimulatorOptions } from '../../src/testing/index.js';
import {
  begin,
  finishElsewhere,
  handleOf,
  happens,
  pass,
  say,
  stateOf,
  until,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

const PROCESSED = { plan: { finishWhen: 'processed' } } as const;
const ASKED = { plan: { finishWhen: 'asked' } } as const;
const REVIEW = { plan: { review: 'wait' } } as const;
const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

/** A scenario for every path through `onboardingSession`. Each returns the session whose history is recorded. */
export const SCENARIOS: Record<string, (world: TestWorld) => Promise<string>> = {
  async 'start-unreadable'({ temporal, taskQueue }) {
    const interviewId = randomUUID();
    const unreadable: Payload = { metadata: { encoding: encode('binary/unknown') }, data: encode('x') };
    const codec = { encode: async () => [unreadable], decode: async (payloads: Payload[]) => payloads };
    const { connection, options } = temporal;
    const client = new Client({ connection, namespace: options.namespace, dataConverter: { payloadCodecs: [codec] } });
    const workflowId = onboardingWorkflowId(interviewId);
    const handle = await client.workflow.start(ONBOARDING_WORKFLOW, { workflowId, taskQueue, args: ['any'] });
    await handle.result().catch(() => undefined);
    return interviewId;
  },

  async approved(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'without-score'(world) {
    const { interviewId, token } = await world.simulator.openSession({ action: 'none' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async closed(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'early-answer'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.finish({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'answer-lost'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async expired(world) {
    const { interviewId, token } = await world.simulator.openSession({ onboardingStatus: 'EXPIRED' });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async refused(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId).catch(() => undefined);
    return interviewId;
  },

  async 'token-renewed'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async cancelled(world) {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.cancel(interviewId);
    await world.onboarding.result(interviewId).catch(() => undefined);
    return interviewId;
  },

  async 'processed-by-webhook'(world) {
    const interviewId = await waiting(world);
    await happens(world, interviewId, 'ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED');
    return ended(world, interviewId);
  },

  async 'processed-by-poll'(world) {
    const interviewId = await waiting(world);
    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, '15 minutes');
    return ended(world, interviewId);
  },

  async 'finished-elsewhere'(world) {
    const interviewId = await waiting(world);
    await finishElsewhere(world, interviewId);
    await happens(world, interviewId, 'ONBOARDING_FINISHED');
    return ended(world, interviewId);
  },

  async asked(world) {
    const { interviewId } = await begin(world, ASKED);
    await untilStage(world, interviewId, 'waiting');
    await world.onboarding.finish({ interviewId });
    return ended(world, interviewId);
  },

  async 'capture-deadline'(world) {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'processed', captureDeadline: '1s' } });
    return ended(world, interviewId);
  },

  async 'deadline-extended'(world) {
    const { interviewId } = await begin(world, ASKED);
    await world.onboarding.extendDeadline(interviewId, '3 days');
    await pass(world, interviewId, '11 days');
    return ended(world, interviewId);
  },

  async 'score-deadline-extended'(world) {
    const { interviewId } = await begin(world, { plan: { scoreDeadline: '3s' } }, { scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await world.onboarding.extendDeadline(interviewId, '1s');
    return ended(world, interviewId);
  },

  async 'verdict-by-webhook'(world) {
    const interviewId = await inReview(world);
    await happens(world, interviewId, 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED');
    return ended(world, interviewId);
  },

  /** A forged webhook, and later a true one. */
  async 'webhook-contradicted'() {
    await using world = await startTestWorld({ activities: { statusLagMs: 300 } });
    const interviewId = await inReview(world);
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    await until(
      async () => (await stateOf(world, interviewId)).timeline.some(({ event }) => /^Incode contradicts/.test(event)),
      true,
    );
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    return await ended(world, interviewId);
  },

  async 'webhook-without-token'(world) {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    await until(
      async () => (await stateOf(world, interviewId)).timeline.at(-1)?.event,
      'Webhook: POST_PROCESSING_FINISHED',
    );
    await happens(world, interviewId, 'EXPIRED');
    return ended(world, interviewId);
  },

  /** The webhook arrives before the score and is checked after it. */
  async 'webhook-before-the-score'(world) {
    const { interviewId } = await begin(world, {}, { ...WARN, scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    world.simulator.setScoreReady(interviewId);
    return ended(world, interviewId);
  },

  async 'webhook-processed'(world) {
    const interviewId = await waiting(world);
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    return ended(world, interviewId);
  },

  /** The status lags, so the finish is confirmed a little later. */
  async 'finish-confirmed'() {
    await using world = await startExecutive({ behavior: { statusLagMs: 300 } });
    return await ended(world, (await begin(world)).interviewId);
  },

  async 'finish-not-confirmed'() {
    await using world = await startExecutive({ behavior: { foreignId: 'ignored', tokenForm: 'opaque' } });
    const { token } = await world.simulator.openSession();
    return await ended(world, (await begin(world, { sessionToken: token })).interviewId);
  },

  async 'verdict-by-poll'(world) {
    const interviewId = await inReview(world);
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await pass(world, interviewId, '7h');
    return ended(world, interviewId);
  },

  async 'review-deadline'(world) {
    const { interviewId } = await begin(world, { plan: { review: 'wait', reviewDeadline: '1s' } }, WARN);
    return ended(world, interviewId);
  },

  async 'token-handed-in-during-review'(world) {
    const interviewId = await inReview(world);
    world.simulator.revokeTokens(interviewId);
    await pass(world, interviewId, '7h');
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await untilStage(world, interviewId, 'inReview');
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    return ended(world, interviewId);
  },

  async 'token-reissued-during-review'() {
    await using world = await startTestWorld({
      tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }),
    });
    const interviewId = await inReview(world);
    world.simulator.revokeTokens(interviewId);
    await pass(world, interviewId, '7h');
    await untilLooks(world, interviewId, 3);
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    return ended(world, interviewId);
  },

  /** Records the run that continues as new. */
  async continued(world) {
    const interviewId = await waiting(world);
    const handle = handleOf(world, interviewId);
    const { runId } = await handle.describe();
    while ((await handle.describe()).runId === runId) {
      await Promise.all(Array.from({ length: 20 }, () => say(world, interviewId, 'ID_VALIDATION_FINISHED')));
      // A run cannot continue as new while messages arrive all the time.
      await stateOf(world, interviewId);
    }
    await untilStage(world, interviewId, 'waiting');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    return ended(world, interviewId);
  },

  async 'cancelled-while-waiting'(world) {
    const interviewId = await waiting(world);
    await world.onboarding.cancel(interviewId);
    return ended(world, interviewId);
  },

  async 'cancelled-in-review'(world) {
    const interviewId = await inReview(world);
    await world.onboarding.cancel(interviewId);
    return ended(world, interviewId);
  },
};

function startExecutive(simulator: SimulatorOptions): Promise<TestWorld> {
  const credentials = () => ({ email: 'kyc@example.com', password: 'simulated' });
  return startTestWorld({
    simulator,
    activities: { statusLagMs: 1_200 },
    executive: (incode) => executiveLogIn(incode, credentials),
  });
}

async function waiting(world: TestWorld): Promise<string> {
  const { interviewId } = await begin(world, PROCESSED);
  await untilLooks(world, interviewId, 1);
  // The poll waits between two attempts.
  await until(async () => (await world.onboarding.state(interviewId)).call?.nextAttemptAt !== null, true);
  return interviewId;
}

async function inReview(world: TestWorld): Promise<string> {
  const { interviewId } = await begin(world, REVIEW, WARN);
  await untilStage(world, interviewId, 'inReview');
  // The read before finishing, and the first poll.
  await untilLooks(world, interviewId, 2);
  return interviewId;
}

async function ended(world: TestWorld, interviewId: string): Promise<string> {
  await world.onboarding.result(interviewId).catch(() => undefined);
  return interviewId;
}
