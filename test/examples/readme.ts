import { connectOnboardingClient } from 'temporal-incode/client';

const onboarding = await connectOnboardingClient();

// In a web request: returns Incode's answer as soon as it arrives.
const answer = await onboarding.finish({ interviewId, sessionToken });

// At any time: waits until the onboarding has ended.
const { outcome, reason } = await onboarding.result(interviewId);

// Around it:

declare const interviewId: string;
declare const sessionToken: string;

export { answer, outcome, reason };
