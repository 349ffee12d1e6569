import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import { onboardingReceiver } from '../../src/cli/local/receiver.js';
import type { Plan } from '../../src/contract/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import type { WebhookReceiver } from '../../src/webhook/index.js';
import { attemptsOf, scheduledActivities } from '../support/history.js';
import {
  expectSound,
  looksAt,
  pass,
  searchAttributesOf,
  stateOf,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// Months on a real server. The workflow and the simulated Incode have separate clocks: days pass for the workflow with its polls first,
// and then for Incode with its webhooks.

const DAY = 86_400_000;
const HOUR = 3_600_000;
const SECRET = 'known-to-both-sides';

let world: TestWorld;
let incode: TestWorld['simulator'];
let receiver: WebhookReceiver;
let url: string;
beforeAll(async () => {
  world = await startTestWorld({
    // Longer than the defaults, because the server needs a tenth of a second for each poll.
    activities: { processedPollMs: 12 * HOUR, reviewPollMs: 24 * HOUR },
    tokenSource: (client) => reissuingTokenSource(client, { configurationId: 'flow' }),
  });
  incode = world.simulator;
  receiver = onboardingReceiver(world.onboarding, { header: { name: 'x-webhook-secret', secrets: [SECRET] } });
  const at = await receiver.listen();
  url = at.url + receiver.paths.delivery;
});
beforeEach(() => receiveWebhooks());
afterAll(async () => {
  await receiver.close();
  await world[Symbol.asyncDispose]();
});

function receiveWebhooks(): void {
  incode.setWebhook({ url, headers: { 'x-webhook-secret': SECRET } });
}

/** Sends webhooks to an address without a receiver. */
function loseWebhooks(): void {
  incode.setWebhook({ url: 'http://127.0.0.1:9/' });
}

/** A session, followed from its first day. */
class Journey {
  readonly interviewId: string;
  private readonly openedAt: number;
  private readonly batchId: string;
  private day = 0;

  private constructor(interviewId: string, openedAt: number) {
    this.interviewId = interviewId;
    this.openedAt = openedAt;
    this.batchId = `batch-${interviewId}`;
  }

  static async begin(plan: Plan, spec: SessionSpec): Promise<Journey> {
    const { interviewId, token } = await incode.openSession(spec);
    const journey = new Journey(interviewId, incode.now());
    await world.onboarding.start({ interviewId, sessionToken: token, plan }, { batchId: journey.batchId });
    await untilLooks(world, interviewId, 1);
    return journey;
  }

  /** Moves both clocks to this day. */
  async untilDay(day: number): Promise<void> {
    const days = day - this.day;
    this.day = day;
    await pass(world, this.interviewId, days * DAY);
    // Some real time has passed as well.
    await incode.advanceTime(Math.max(0, this.openedAt + day * DAY - incode.now()));
  }

  /** Checks that queries by stage, status and outcome find the session. */
  async isListedAs(stage: string, outcome?: string): Promise<void> {
    const found = await searchAttributesOf(world, this.interviewId);
    expect(found).toMatchObject({ stage, batchId: this.batchId });
    expect(found.outcome).toBe(outcome);
    const status = outcome === undefined ? 'Running' : 'Completed';
    const queries = [
      `IncodeStage = "${stage}" AND IncodeBatchId = "${this.batchId}"`,
      `ExecutionStatus = "${status}" AND IncodeBatchId = "${this.batchId}"`,
      outcome === undefined
        ? `IncodeOutcome IS NULL AND IncodeBatchId = "${this.batchId}"`
        : `IncodeOutcome = "${outcome}" AND IncodeBatchId = "${this.batchId}"`,
    ];
    const listed = async (query: string) => {
      const ids: string[] = [];
      for await (const { workflowId } of world.temporal.workflow.list({ query })) ids.push(workflowId);
      return ids;
    };
    for (const query of queries) {
      await expect.poll(() => listed(query)).toEqual([`incode-onboarding/${this.interviewId}`]);
    }
  }

  async timeline(): Promise<string[]> {
    return (await stateOf(world, this.interviewId)).timeline.map(({ event }) => event);
  }

  /** @returns the day of an event since the start, by the workflow's clock */
  async dayOf(event: string): Promise<number> {
    const { timeline } = await stateOf(world, this.interviewId);
    const at = timeline.find((entry) => entry.event === event)?.at;
    return (Date.parse(String(at)) - Date.parse(String(timeline[0]?.at))) / DAY;
  }

  deliveries(onboardingStatus: string) {
    return incode.deliveries.filter(
      (delivery) => delivery.interviewId === this.interviewId && delivery.onboardingStatus === onboardingStatus,
    );
  }
}

const RENEWED = 'The token source gave a fresh session token';

/** Captured and processed on day 3, then reviewed by a person. */
const DOUBTFUL: SessionSpec = {
  processedAfterMs: 3 * DAY,
  action: 'none',
  score: { status: 'WARN', value: '61.0' },
};
const PATIENT: Plan = { finishWhen: 'processed', review: 'wait' };

/** Continues to day 89, shortly before the token expires: in review since day 3, with a deadline on day 123. */
async function untilTokenRunsOut(verdict: 'APPROVED' | 'REJECTED'): Promise<Journey> {
  const journey = await Journey.begin(PATIENT, { ...DOUBTFUL, manualReview: { verdict, afterMs: 97 * DAY - HOUR } });
  const { interviewId } = journey;
  await journey.untilDay(2);
  expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'waiting', finish: null });
  await journey.isListedAs('waiting');
  expect(journey.deliveries('POST_PROCESSING_FINISHED')).toEqual([]);

  await journey.untilDay(3);
  expect(journey.deliveries('POST_PROCESSING_FINISHED')).toMatchObject([{ attempt: 1, accepted: true }]);
  await untilStage(world, interviewId, 'inReview');
  await journey.isListedAs('inReview');
  expect(await journey.timeline()).toContain('Webhook: POST_PROCESSING_FINISHED');
  expect(Math.floor(await journey.dayOf('Stage: inReview'))).toBe(3);
  expect(await stateOf(world, interviewId)).toMatchObject({
    finish: { action: 'none', confirmedBy: 'response' },
    score: { status: 'WARN', value: '61.0' },
  });

  await journey.untilDay(20);
  await world.onboarding.extendDeadline(interviewId, '90 days');
  await journey.untilDay(89);
  expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'inReview' });
  expect(await journey.timeline()).not.toContain(RENEWED);
  return journey;
}

/** Checks that the token is renewed without a person. */
async function tokenIsRenewed(journey: Journey): Promise<void> {
  await journey.untilDay(91);
  await journey.untilDay(93);
  const looks = incode.callsOf(journey.interviewId, 'onboardingStatus').map(({ httpStatus }) => httpStatus);
  // By id, then without an id, to tell an expired token from one of another session.
  expect(looks.filter((status) => status === 401)).toEqual([401, 401]);
  expect(looks.at(-1)).toBe(200);
  expect((await journey.timeline()).filter((event) => event === RENEWED)).toHaveLength(1);
  expect(await journey.timeline()).not.toContainEqual(expect.stringContaining('token is needed'));
  await journey.isListedAs('inReview');
}

describe('a session that is captured on day 3 and decided on day 100', () => {
  it('outlasts its token and its first deadline and ends with the webhook of the verdict', async () => {
    const journey = await untilTokenRunsOut('APPROVED');
    const { interviewId } = journey;
    await tokenIsRenewed(journey);
    await world.onboarding.extendDeadline(interviewId, '10 days');
    await journey.untilDay(99);
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    await journey.untilDay(100);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      onboardingStatus: 'MANUAL_REVIEW_APPROVED',
      reason: 'A manual review approved the session.',
    });
    expect(journey.deliveries('MANUAL_REVIEW_APPROVED')).toMatchObject([{ attempt: 1, accepted: true }]);
    expect(await journey.timeline()).toContain("Incode's status: MANUAL_REVIEW_APPROVED (answer)");
    await journey.isListedAs('done', 'approved');
    const history = await expectSound(world, interviewId);
    expect(scheduledActivities(history)).toEqual([
      'awaitMilestone',
      'confirmStatus',
      'finishStatus',
      'score',
      'awaitMilestone',
      'reissueToken',
      'awaitMilestone',
      'confirmStatus',
    ]);
    // One read a day. The history has only those that changed something.
    expect(looksAt(world, interviewId)).toBeGreaterThan(95);
  });

  it('ends with the poll if the webhook of the verdict is lost', async () => {
    const journey = await untilTokenRunsOut('REJECTED');
    const { interviewId } = journey;
    await tokenIsRenewed(journey);
    loseWebhooks();
    await journey.untilDay(100);
    const lost = journey.deliveries('MANUAL_REVIEW_REJECTED');
    expect(lost).toHaveLength(6);
    expect(lost.at(-1)).toMatchObject({ attempt: 6, accepted: false, lost: true });
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    await journey.untilDay(101.5);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'rejected',
      onboardingStatus: 'MANUAL_REVIEW_REJECTED',
    });
    expect(await journey.timeline()).toContain("Incode's status: MANUAL_REVIEW_REJECTED (answer)");
    await journey.isListedAs('done', 'rejected');
    await expectSound(world, interviewId);
  });
});

describe('a review without a verdict', () => {
  it('ends as needsReview after 30 days', async () => {
    const journey = await Journey.begin(PATIENT, DOUBTFUL);
    const { interviewId } = journey;
    await journey.untilDay(3);
    await untilStage(world, interviewId, 'inReview');
    await journey.untilDay(32);
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    await journey.isListedAs('inReview');
    await journey.untilDay(34);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'needsReview',
      onboardingStatus: 'ONBOARDING_FINISHED',
      reason: "The score's overall status is WARN. No manual review decided within the review deadline.",
    });
    await journey.isListedAs('done', 'needsReview');
    expect(scheduledActivities(await expectSound(world, interviewId)).at(-1)).toBe('onboardingStatus');
  });

  it('is not changed by a verdict after its deadline, whose webhook is accepted', async () => {
    const spec: SessionSpec = { ...DOUBTFUL, manualReview: { verdict: 'APPROVED', afterMs: 32 * DAY } };
    const journey = await Journey.begin(PATIENT, spec);
    await journey.untilDay(3);
    await untilStage(world, journey.interviewId, 'inReview');
    await journey.untilDay(34);
    expect((await world.onboarding.result(journey.interviewId)).outcome).toBe('needsReview');
    const { ended } = receiver.counts;
    await incode.advanceTime(3 * DAY);
    expect(journey.deliveries('MANUAL_REVIEW_APPROVED')).toMatchObject([{ accepted: true }]);
    expect(receiver.counts.ended).toBe(ended + 1);
    await journey.isListedAs('done', 'needsReview');
  });
});

describe('a session that is never captured', () => {
  it('expires on day 7 even if capture had begun', async () => {
    const journey = await Journey.begin({ finishWhen: 'processed' }, { processedAfterMs: null });
    const { interviewId } = journey;
    await journey.untilDay(2);
    incode.setOnboardingStatus(interviewId, 'ID_VALIDATION_FINISHED');
    await journey.untilDay(6);
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    expect(await journey.timeline()).toContain('Webhook: ID_VALIDATION_FINISHED');
    await journey.isListedAs('waiting');
    await journey.untilDay(8);
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', finish: null });
    await journey.isListedAs('done', 'expired');
    expect(incode.effects(interviewId).finished).toBe(0);
    const history = await expectSound(world, interviewId);
    expect(scheduledActivities(history)).toEqual(['awaitMilestone', 'onboardingStatus']);
    expect(attemptsOf(history, 'onboardingStatus')).toBe(1);
  });

  it('expires earlier if Incode says so', async () => {
    const spec: SessionSpec = { processedAfterMs: null, expiresAfterMs: 5 * DAY };
    const journey = await Journey.begin({ finishWhen: 'processed' }, spec);
    await journey.untilDay(4);
    await journey.isListedAs('waiting');
    await journey.untilDay(5);
    expect(await world.onboarding.result(journey.interviewId)).toMatchObject({
      outcome: 'expired',
      reason: 'The session expired at Incode before it was finished.',
    });
    expect(journey.deliveries('EXPIRED')).toMatchObject([{ attempt: 1, accepted: true }]);
    await journey.isListedAs('done', 'expired');
    await expectSound(world, journey.interviewId);
  });

  it('can be captured in the week by which its deadline was extended', async () => {
    const journey = await Journey.begin({ finishWhen: 'processed' }, { processedAfterMs: 10 * DAY });
    await journey.untilDay(6);
    await world.onboarding.extendDeadline(journey.interviewId, '7 days');
    await journey.untilDay(9);
    await journey.isListedAs('waiting');
    await journey.untilDay(10);
    expect((await world.onboarding.result(journey.interviewId)).outcome).toBe('approved');
    await journey.isListedAs('done', 'approved');
    expect(incode.effects(journey.interviewId).finished).toBe(1);
    await expectSound(world, journey.interviewId);
  });
});
