import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, SEARCH_ATTRIBUTES } from '../../src/contract/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { fetchHistory, type History } from '../support/history.js';
import {
  begin,
  expectSound,
  handleOf,
  happens,
  searchAttributesOf,
  stateOf,
  until,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { bringTo } from '../support/places.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

describe('search attributes', () => {
  it.each([
    ['waiting', 'waiting'],
    ['inReview', 'inReview'],
    ['noToken/waiting', 'needsToken'],
    ['noToken/finishing', 'needsToken'],
    ['noToken/scoring', 'needsToken'],
  ] as const)('search attributes show the long wait of a session in %s as %s', async (place, stage) => {
    const { interviewId } = await bringTo(world, place);
    await until(async () => (await searchAttributesOf(world, interviewId)).stage, stage);
    expect(await listed(`${SEARCH_ATTRIBUTES.stage} = "${stage}"`)).toContain(interviewId);
    expect(await listed(`${SEARCH_ATTRIBUTES.stage} = "done"`)).not.toContain(interviewId);
    await world.onboarding.cancel(interviewId);
  });

  it('search attributes no longer show a wait that is over', async () => {
    const { interviewId } = await bringTo(world, 'noToken/scoring');
    world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status: 503, times: null });
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await until(async () => (await searchAttributesOf(world, interviewId)).stage, 'scoring');
    await world.onboarding.cancel(interviewId);
  });

  it.each([
    ['approved', {}],
    ['rejected', { score: { status: 'FAIL', value: '1' } }],
    ['needsReview', WARN],
    ['undecided', { score: { status: 'BRAND_NEW', value: '1' } }],
    ['expired', { onboardingStatus: 'EXPIRED' }],
  ] as [Outcome, SessionSpec][])(
    'search attributes find a session by its outcome %s and its batch',
    async (outcome, spec) => {
      const { interviewId, token } = await world.simulator.openSession(spec);
      const batchId = `batch-of-${interviewId}`;
      await world.onboarding.start({ interviewId, sessionToken: token }, { batchId });
      await world.onboarding.result(interviewId);
      expect(await searchAttributesOf(world, interviewId)).toMatchObject({ stage: 'done', outcome, batchId });
      const query = `${SEARCH_ATTRIBUTES.outcome} = "${outcome}" AND ${SEARCH_ATTRIBUTES.batchId} = "${batchId}"`;
      await until(async () => (await listed(query)).join(), interviewId);
    },
  );

  it('search attributes are not upserted for webhooks that change no stage', async () => {
    const { interviewId } = await bringTo(world, 'inReview');
    await happens(world, interviewId, 'UNKNOWN', 'ONBOARDING_FINISHED', 'BRAND_NEW');
    const upserts = (await fetchHistory(world.temporal, interviewId)).events?.filter(
      (event) => event.upsertWorkflowSearchAttributesEventAttributes,
    );
    expect(upserts).toHaveLength(1);
    await world.onboarding.cancel(interviewId);
  });
});

describe('the details in the Web UI', () => {
  it('the details in the Web UI say what the session waits for and until when', async () => {
    const { interviewId } = await bringTo(world, 'waiting');
    const { deadline } = await stateOf(world, interviewId);
    expect(await detailsOf(interviewId)).toBe(
      `**waiting**: waits for the person to be captured, and Incode's post-processing\n\nends by itself at ${deadline}`,
    );
    const moved = await world.onboarding.extendDeadline(interviewId, '1 day');
    expect(await detailsOf(interviewId)).toContain(moved.deadline);
    await world.onboarding.cancel(interviewId);
  });

  it.each([
    ['noToken/finishing', /^\*\*needsToken\*\*: waits for a session token, by the update renewToken: Incode refused/],
    ['inReview', /^\*\*inReview\*\*: waits for a person's verdict at Incode\n\nends by itself at 2/],
    ['closing', /^\*\*closing\*\*\n\nIncode's status: ONBOARDING_FINISHED$/],
    ['scoring', /^\*\*scoring\*\*\n\nends by itself at 2/],
    ['done', /^\*\*approved\*\*: The score's overall status is OK\.$/],
  ] as const)('describe a session in %s', async (place, details) => {
    const { interviewId } = await bringTo(world, place);
    expect(await detailsOf(interviewId)).toMatch(details);
    if (place !== 'done') await world.onboarding.cancel(interviewId);
  });

  it('the Web UI has a summary for each activity and timer', async () => {
    const plan = { finishWhen: 'processed', close: true, review: 'wait', reviewDeadline: '1s' } as const;
    const { interviewId } = await begin(world, { plan }, { ...WARN, onboardingStatus: 'POST_PROCESSING_FINISHED' });
    await world.onboarding.result(interviewId);
    expect(summariesOf(await expectSound(world, interviewId))).toEqual([
      "awaitMilestone: Poll the session's status, in case a webhook is lost",
      'timer: Capture deadline',
      'finishStatus: Finish the session at Incode',
      'closeSession: Close the session at Incode',
      'score: Read the score, until it is ready',
      "awaitMilestone: Poll the session's status, in case a webhook is lost",
      'timer: Review deadline',
      "onboardingStatus: Read the session's status before its deadline counts",
    ]);
  });
});

describe('the timeline', () => {
  it('lists all events in order', async () => {
    const { interviewId } = await begin(
      world,
      { plan: { finishWhen: 'processed', close: true, review: 'wait' } },
      WARN,
    );
    await untilLooks(world, interviewId, 1);
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    await untilStage(world, interviewId, 'inReview');
    await happens(world, interviewId, 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED');
    await world.onboarding.result(interviewId);
    const { timeline } = await stateOf(world, interviewId);
    expect(timeline.map(({ event }) => event)).toEqual([
      'Started',
      'Stage: waiting',
      'Webhook: POST_PROCESSING_FINISHED',
      "Incode's status: POST_PROCESSING_FINISHED (answer)",
      'Stage: finishing',
      "Incode's status: ONBOARDING_FINISHED (answer)",
      'Finished: action none, confirmed by response',
      'Stage: closing',
      'Closed',
      'Stage: scoring',
      'Score: WARN',
      'Stage: inReview',
      'Webhook: ONBOARDING_FINISHED',
      'Webhook: MANUAL_REVIEW_APPROVED',
      "Incode's status: MANUAL_REVIEW_APPROVED (answer)",
      'Outcome: approved',
    ]);
    const times = timeline.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('keeps its first event and the latest 50', async () => {
    const { interviewId } = await bringTo(world, 'noToken/finishing');
    const start = (await stateOf(world, interviewId)).timeline[0];
    const calls = () => world.simulator.callsOf(interviewId).length;
    for (let times = 1; times <= 30; times++) {
      const before = calls();
      await world.onboarding.renewToken(interviewId, `wrong-${times}`);
      await until(() => calls() > before, true);
      await untilStage(world, interviewId, 'needsToken');
    }
    const { timeline } = await stateOf(world, interviewId);
    expect(timeline).toHaveLength(51);
    expect(timeline[0]).toEqual(start);
    expect(timeline.at(-1)?.event).toMatch(/^A session token is needed/);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await world.onboarding.result(interviewId);
    expect((await stateOf(world, interviewId)).timeline.at(-1)?.event).toBe('Outcome: approved');
  });
});

async function listed(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of world.temporal.workflow.list({ query })) ids.push(workflowId.split('/')[1] ?? '');
  return ids;
}

async function detailsOf(interviewId: string): Promise<string> {
  const metadata = await handleOf(world, interviewId).query<{ currentDetails?: string }>(
    '__temporal_workflow_metadata',
  );
  return metadata.currentDetails ?? '';
}

/** @returns the summaries of activities and timers in order */
function summariesOf({ events }: History): string[] {
  return (events ?? []).flatMap(
    ({ userMetadata, activityTaskScheduledEventAttributes, timerStartedEventAttributes }) => {
      const what = activityTaskScheduledEventAttributes?.activityType?.name ?? (timerStartedEventAttributes && 'timer');
      if (!what) return [];
      return `${what}: ${JSON.parse(Buffer.from(userMetadata?.summary?.data ?? []).toString() || '"none"')}`;
    },
  );
}
