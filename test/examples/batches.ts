import { completeBatch, connectOnboardingClient } from 'temporal-incode/client';

const onboarding = await connectOnboardingClient();
const batch = completeBatch(onboarding, sessionsOfTonight(), {
  batchId: 'night-2026-11-24',
  plan: { close: true },
  order: 'asCompleted',
  onProgress: ({ done, failed, perSecond }) => console.log(done, failed, perSecond),
});
for await (const { interviewId, outcome, failure } of batch) await save(interviewId, outcome ?? failure?.type);

// Around it:

declare function sessionsOfTonight(): AsyncIterable<{ interviewId: string; sessionToken: string }>;
declare function save(interviewId: string, what: string | undefined): Promise<void>;
