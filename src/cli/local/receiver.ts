import type { OnboardingClient } from '../../client/index.js';
import type { OnboardingInput } from '../../contract/index.js';
import { ANSWER_WITHIN_MS, cachedReachability } from '../../monitoring/reachability.js';
import { createWebhookReceiver, type WebhookReceiver, type WebhookReceiverOptions } from '../../webhook/index.js';

export interface ReceiverOptions extends Omit<WebhookReceiverOptions, 'notify' | 'ready'> {
  /** Starts an onboarding with this input for a session that has none. @default it is counted and passed over */
  start?: Omit<OnboardingInput, 'interviewId'>;
}

/** A receiver of Incode's webhooks that tells what it hears to the sessions' workflows. */
export function onboardingReceiver(client: OnboardingClient, { start, ...options }: ReceiverOptions): WebhookReceiver {
  const { temporal } = client;
  return createWebhookReceiver({
    ...options,
    notify: ({ interviewId, onboardingStatus }) => client.statusChanged({ interviewId, onboardingStatus }, start),
    // Anybody who reaches the receiver may ask, so most questions must cost Temporal nothing.
    ready: cachedReachability(() => {
      const { namespace } = temporal.options;
      return temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
        temporal.workflowService.describeNamespace({ namespace }),
      );
    }),
  });
}
