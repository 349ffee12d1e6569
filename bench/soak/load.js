import { randomBytes } from 'node:crypto';
import { completeBatch } from '../../dist/client/index.js';
import { sleep } from '../lib/world.js';

/** Each a second. What two cores carry beside the dev server with half of them left over: more would measure the queue. */
export const RATES = { completed: 8, webhooks: 4 };
/** One after the other, with a pause of this after each. */
export const BATCH = { sessions: 2_000, pauseMs: 10_000 };

/** What Incode does to a hundredth each: every way of failing leaks in its own way. */
const TROUBLES = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500 },
  { kind: 'truncated' },
  { kind: 'reset' },
];

/** Sessions completed singly, sessions that wait for a webhook, and batches, until `isOver`. @returns how they ended */
export async function load({ onboarding, simulator, deliver }, isOver) {
  const ended = { completed: {}, webhooks: {}, batches: {} };
  const problems = [];
  const count = (kind, outcome) => {
    ended[kind][outcome] = (ended[kind][outcome] ?? 0) + 1;
  };
  const under = new Set();
  const begin = (work) => {
    const promise = work().catch((error) => problems.push(String(error)));
    under.add(promise);
    promise.finally(() => under.delete(promise));
  };
  const every = async (perSecond, work) => {
    while (!isOver()) {
      begin(work);
      await sleep(1_000 / perSecond);
    }
  };
  await Promise.all([
    every(RATES.completed, async () => count('completed', await complete(onboarding, simulator))),
    every(RATES.webhooks, async () => count('webhooks', await byWebhook(onboarding, simulator, deliver))),
    batches(onboarding, simulator, isOver, (outcome) => count('batches', outcome)).catch((e) =>
      problems.push(String(e)),
    ),
  ]);
  await Promise.all(under);
  return { ended, problems };
}

async function complete(onboarding, simulator) {
  const { interviewId, token } = await simulator.openSession();
  const trouble = TROUBLES[Math.floor(Math.random() * 100)];
  if (trouble) simulator.fault({ operation: 'finishStatus', interviewId, ...trouble });
  await onboarding.start({ interviewId, sessionToken: token });
  return (await onboarding.result(interviewId)).outcome;
}

async function byWebhook(onboarding, simulator, deliver) {
  const { interviewId, token } = await simulator.openSession({ processedAfterMs: null });
  await onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'processed' } });
  const status = await deliver({ interviewId, onboardingStatus: 'ONBOARDING_FINISHED' });
  if (status !== 200) throw new Error(`The receiver answered ${status}`);
  return (await onboarding.result(interviewId)).outcome;
}

async function batches(onboarding, simulator, isOver, count) {
  while (!isOver()) {
    const opened = await Promise.all(Array.from({ length: BATCH.sessions }, () => simulator.openSession()));
    const sessions = opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
    const batchId = `soak-${randomBytes(6).toString('hex')}`;
    for await (const { outcome, failure } of completeBatch(onboarding, sessions, { batchId }))
      count(outcome ?? failure?.type);
    await sleep(BATCH.pauseMs);
  }
}
