import type { OnboardingClient } from '../../client/index.js';
import type { OnboardingInput } from '../../contract/index.js';
import { createWebhookReceiver, type WebhookReceiver, type WebhookReceiverOptions } from '../../webhook/index.js';

export interface ReceiverOptions extends Omit<WebhookReceiverOptions, 'notify' | 'ready'> {
  /** Starts an onboarding with this input for a session that has none. @default it is counted and passed over */
  start?: Omit<OnboardingInput, 'interviewId'>;
}

/** Ready means: Temporal answers. It does so within milliseconds, or not at all. */
const READY_TIMEOUT_MS = 2_000;

/** A receiver of Incode's webhooks that tells what it hears to the sessions' workflows. */
export function onboardingReceiver(client: OnboardingClient, { start, ...options }: ReceiverOptions): WebhookReceiver {
  const { temporal } = client;
  return createWebhookReceiver({
    ...options,
    notify: ({ interviewId, onboardingStatus }) => client.statusChanged({ interviewId, onboardingStatus }, start),
    ready: async () => {
      const { namespace } = temporal.options;
      await temporal.withDeadline(Date.now() + READY_TIMEOUT_MS, () =>
        temporal.workflowService.describeNamespace({ namespace }),
      );
      return true;
    },
  });
}
