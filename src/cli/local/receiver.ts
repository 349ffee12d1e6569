import { randomUUID } from 'node:crypto';
import { type OnboardingClient, sessionStarted } from '../../client/index.js';
import { type OnboardingInput, referenceOf } from '../../contract/index.js';
import { ANSWER_WITHIN_MS, cachedReachability } from '../../monitoring/reachability.js';
import type { IncodeSimulator } from '../../testing/index.js';
import { createWebhookReceiver, type WebhookReceiver, type WebhookReceiverOptions } from '../../webhook/index.js';

export interface ReceiverOptions extends Omit<WebhookReceiverOptions, 'notify' | 'notifyStarted' | 'ready'> {
  /** Starts an onboarding with this input for a session that has none. @default such a delivery is only counted */
  start?: Omit<OnboardingInput, 'interviewId'>;
}

/** A receiver that passes Incode's webhooks to the sessions' workflows. */
export function onboardingReceiver(client: OnboardingClient, { start, ...options }: ReceiverOptions): WebhookReceiver {
  const { temporal } = client;
  return createWebhookReceiver({
    ...options,
    notify: ({ interviewId, onboardingStatus, externalId = '' }) =>
      // The workflow of a person starts that of the session by itself, once the images are uploaded.
      client.statusChanged(
        { interviewId, onboardingStatus },
        referenceOf(externalId) === undefined ? start : undefined,
      ),
    notifyStarted: (started) => sessionStarted(temporal, started),
    // Cached, because anyone who reaches the receiver can ask, and each check is a request to Temporal.
    ready: cachedReachability(() => {
      const { namespace } = temporal.options;
      return temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
        temporal.workflowService.describeNamespace({ namespace }),
      );
    }),
  });
}

/** Starts a receiver to which the simulator sends its webhooks. */
export async function startSimulatorReceiver(
  client: OnboardingClient,
  simulator: IncodeSimulator,
): Promise<{ url: string; close(): Promise<void> }> {
  // A random secret, so that the receiver accepts only the simulator's deliveries.
  const secret = randomUUID();
  const receiver = onboardingReceiver(client, { header: { name: 'x-webhook-secret', secrets: [secret] } });
  const { url: origin } = await receiver.listen();
  const url = `${origin}${receiver.paths.delivery}`;
  const target = { url, headers: { 'x-webhook-secret': secret } };
  simulator.setWebhook(target);
  simulator.setSessionWebhook(target);
  return { url, close: () => receiver.close() };
}
