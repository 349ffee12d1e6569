import { connectOnboardingClient } from 'temporal-incode/client';

const onboarding = await connectOnboardingClient();

// Within a web request: Incode's answer as soon as it is there.
const answer = await onboarding.finish({ interviewId, sessionToken });

// Whenever you like: how it ended.
const { outcome, reason } = await onboarding.result(interviewId);

// Around it:

declare const interviewId: string;
declare const sessionToken: string;

export { answer, outcome, reason };
