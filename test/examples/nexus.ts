import { createNexusServiceClient } from '@temporalio/workflow';
import { onboardingService, operationFailure } from 'temporal-incode/nexus';

const incode = createNexusServiceClient({ service: onboardingService, endpoint: 'incode-onboarding' });

export async function openAccount(interviewId: string, sessionToken: string): Promise<string> {
  try {
    // Returns Incode's answer as soon as it arrives.
    const answer = await incode.executeOperation('finish', { interviewId, sessionToken });
    // Waits until the onboarding has ended.
    const { outcome } = await incode.executeOperation('complete', { interviewId });
    return `${outcome}, ${answer?.redirectionUrl ?? 'no redirection'}`;
  } catch (error) {
    if (operationFailure(error)?.type === 'IncodeUnknownSession') return 'refused: Incode does not know the session';
    throw error;
  }
}
