import type { OnboardingClient } from 'temporal-incode/client';
import { createWebhookReceiver } from 'temporal-incode/webhook';

const receiver = createWebhookReceiver({
  header: { name: 'x-webhook-secret', secrets: [secret] },
  notify: (delivery) => onboarding.statusChanged(delivery),
});

// Around it:

declare const onboarding: OnboardingClient;
declare const secret: string;

export { receiver };
