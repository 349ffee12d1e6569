import { captureBatch, connectOnboardingClient } from 'temporal-incode/client';

const onboarding = await connectOnboardingClient();
const batch = captureBatch(onboarding, peopleOfThisWeek(), { batchId: 'week-48', plan: { close: true } });
for await (const { reference, interviewId, outcome, failure } of batch) {
  await save(reference, interviewId, outcome ?? failure?.type);
}

// Around it:

declare function peopleOfThisWeek(): AsyncIterable<{ reference: string; front: { uri: string } }>;
declare function save(reference: string, interviewId: string | undefined, what: string | undefined): Promise<void>;
