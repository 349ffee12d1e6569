import { printNotice } from '../../shared/output.js';
import type { OwnSession } from '../own-sessions.js';
import { attempt, delayUntil, type Trial } from './trial.js';

/** Waits for a delivery about the session after its last finish. */
export async function tryFirstWebhook(trial: Trial, finished: OwnSession): Promise<void> {
  const { seen, listener } = trial;
  if (!listener) return withoutListener(trial);
  printNotice('Waiting for the webhook of the finish');
  await attempt(trial, ['webhook'], async () => {
    const isReachable = await listener.isReachable();
    const deliveries = () => listener.deliveriesOf(finished.interviewId);
    const { waitedMs } = await delayUntil(trial, async () => ({ done: deliveries().length > 0, last: undefined }));
    seen.webhook = { isReachable, waitedMs, deliveries: deliveries() };
  });
}

export async function trySecondWebhook(trial: Trial, finished: OwnSession): Promise<void> {
  const { seen, whyNot, listener } = trial;
  if (!listener) return withoutListener(trial);
  if (!seen.webhook?.deliveries.length) {
    whyNot.secondWebhook = 'the first finish sent none';
    return;
  }
  await attempt(trial, ['secondWebhook'], async () => {
    const count = () => listener.deliveriesOf(finished.interviewId).length;
    await delayUntil(trial, async () => ({ done: count() > 0, last: undefined }));
    seen.secondWebhook = count();
  });
}

function withoutListener({ whyNot }: Trial): void {
  whyNot.webhook = 'needs --public-url';
  whyNot.secondWebhook = 'needs --public-url';
}
