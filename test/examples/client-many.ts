import {
  BatchMismatchError,
  BatchShardError,
  completeBatch,
  type OnboardingClient,
  type OnboardingInput,
  startMany,
} from 'temporal-incode/client';

type Sessions = AsyncIterable<OnboardingInput> | Iterable<OnboardingInput>;

/** Starts an onboarding for each session and returns the ids of those that could not be started. */
export async function startAll(onboarding: OnboardingClient, sessions: Sessions): Promise<string[]> {
  const failed: string[] = [];
  for await (const { interviewId, error } of startMany(onboarding, sessions, { ifCompleted: 'return' })) {
    if (!error) continue;
    console.error(interviewId, error.message);
    failed.push(interviewId);
  }
  return failed;
}

/** Completes a list and saves what each session ended with. Run it again after any error: it attaches to the batch. */
export async function completeAll(onboarding: OnboardingClient, sessions: Sessions, batchId: string): Promise<void> {
  try {
    for await (const { interviewId, outcome, failure } of completeBatch(onboarding, sessions, { batchId })) {
      await save(interviewId, outcome ?? `failed: ${failure?.type}`);
    }
  } catch (error) {
    // The id belongs to another list or plan: choose another id.
    if (error instanceof BatchMismatchError) console.error(`${error.message} It differs in: ${error.differs}`);
    // Somebody cancelled or terminated a part of the batch.
    else if (error instanceof BatchShardError) console.error(`Run it again: ${error.message}`);
    throw error;
  }
}

// Stands for your database:

export const saved = new Map<string, string>();

async function save(interviewId: string, ending: string): Promise<void> {
  saved.set(interviewId, ending);
}
