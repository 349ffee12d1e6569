import type { Client } from '@temporalio/client';
import { connectOnboardingClient, OnboardingClient } from 'temporal-incode/client';

// By TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY… or the profile file:
const onboarding = await connectOnboardingClient();

// Or with a Temporal client that you have:
const other = new OnboardingClient({ client });

// Around it:

declare const client: Client;

export { onboarding, other };
