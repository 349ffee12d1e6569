import type { Client } from '@temporalio/client';
import { connectOnboardingClient, OnboardingClient } from 'temporal-incode/client';

// Configured by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and so on, or by Temporal's profile file:
const onboarding = await connectOnboardingClient();

// Or with a Temporal client that you already have:
const other = new OnboardingClient({ client });

// Waits until the onboarding has ended:
const { outcome, reason } = await onboarding.result(interviewId);

// Looks where it stands now:
const { status, state } = await onboarding.state(interviewId);
if (state?.waitingFor) console.log(`${state.stage}: waits for ${state.waitingFor}`);

// Around it:

declare const client: Client;
declare const interviewId: string;

export { onboarding, other, outcome, reason, status };
