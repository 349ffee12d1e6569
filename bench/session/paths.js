import { onboardingWorkflowId } from '../../dist/contract/index.js';
import { until } from '../lib/world.js';

const WARN = { action: 'none', score: { status: 'WARN', value: '61.0' } };

/** One session each. Returns its id once it has ended. */
export const PATHS = {
  'without score': (world) => complete(world, { score: false }),
  'with score': (world) => complete(world, {}),
  'with score, closed': (world) => complete(world, { close: true }),

  async 'early answer by update'({ simulator, onboarding }) {
    const { interviewId, token } = await simulator.openSession();
    await onboarding.finish({ interviewId, sessionToken: token });
    return ended(onboarding, interviewId);
  },

  async 'waits for finish'(world) {
    const interviewId = await begin(world, { finishWhen: 'asked' });
    await stage(world, interviewId, 'waiting');
    await world.onboarding.finish({ interviewId });
    return ended(world.onboarding, interviewId);
  },

  async 'waits for documents, webhook'(world) {
    const interviewId = await begin(world, { finishWhen: 'processed' }, { processedAfterMs: null });
    await looked(world, interviewId);
    await say(world, interviewId, 'POST_PROCESSING_FINISHED');
    return ended(world.onboarding, interviewId);
  },

  async 'waits for review, webhook'(world) {
    const interviewId = await begin(world, { review: 'wait' }, WARN);
    await looked(world, interviewId);
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    return ended(world.onboarding, interviewId);
  },

  /** Every webhook that Incode sends on the way. */
  async 'documents and review, all webhooks'(world) {
    const plan = { finishWhen: 'processed', review: 'wait' };
    const interviewId = await begin(world, plan, { ...WARN, processedAfterMs: null });
    await looked(world, interviewId);
    await say(world, interviewId, 'ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED');
    await stage(world, interviewId, 'inReview');
    await looked(world, interviewId, 2);
    await say(world, interviewId, 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED');
    return ended(world.onboarding, interviewId);
  },
};

async function begin({ simulator, onboarding }, plan, spec) {
  const { interviewId, token } = await simulator.openSession(spec);
  // So that the looks that `looked` counts are those of the polls.
  await onboarding.start({ interviewId, sessionToken: token, plan, verifyFirst: 'trust' });
  return interviewId;
}

async function complete(world, plan) {
  return ended(world.onboarding, await begin(world, plan));
}

async function ended(onboarding, interviewId) {
  await onboarding.result(interviewId);
  return interviewId;
}

async function say({ onboarding }, interviewId, ...statuses) {
  for (const onboardingStatus of statuses) await onboarding.statusChanged({ interviewId, onboardingStatus });
}

/** Not by a query, which is billed. */
async function stage({ client }, interviewId, wanted) {
  const query = `WorkflowId = "${onboardingWorkflowId(interviewId)}" AND IncodeStage = "${wanted}"`;
  await until(async () => (await client.workflow.count(query)).count === 1, `Stage ${wanted}`);
}

async function looked({ simulator }, interviewId, times = 1) {
  await until(() => simulator.callsOf(interviewId, 'onboardingStatus').length === times, 'A poll');
}

/** What a session has cost. */
export async function costOf({ client, simulator }, interviewId) {
  const handle = client.workflow.getHandle(onboardingWorkflowId(interviewId));
  const [{ events }, { raw }] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  const billed = events.filter(
    (event) =>
      event.workflowExecutionStartedEventAttributes ||
      event.timerStartedEventAttributes ||
      event.workflowExecutionSignaledEventAttributes ||
      event.workflowExecutionUpdateAcceptedEventAttributes ||
      event.upsertWorkflowSearchAttributesEventAttributes,
  );
  // An attempt of an activity is one call of Incode. A poll that failed and was cancelled later has left no event.
  const attempts = simulator.callsOf(interviewId).length;
  return {
    actions: billed.length + attempts,
    attempts,
    events: events.length,
    bytes: Number(raw.workflowExecutionInfo.historySizeBytes),
  };
}
