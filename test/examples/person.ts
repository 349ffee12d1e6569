import { type CapturePerson, type OnboardingClient, PersonPendingError } from 'temporal-incode/client';

/** Onboards a person from images, and returns how the onboarding ended or what it waits for. Repeating it attaches. */
export async function onboardPerson({ people }: OnboardingClient, person: CapturePerson): Promise<string> {
  await people.start({ ...person, plan: { onRefusedImage: 'wait' } });
  try {
    const { onboarding } = await people.result(person.reference, { timeoutMs: 10_000 });
    return onboarding?.outcome ?? 'unknown';
  } catch (error) {
    // It continues on the server.
    if (error instanceof PersonPendingError) return error.waitingFor ?? 'running';
    throw error;
  }
}
