import { createNexusServiceClient } from '@temporalio/workflow';
import { type OperationFailure, onboardingService, operationFailure } from 'temporal-incode/nexus';

export { openAccount } from '../examples/nexus.js';

export type Answered = { result: unknown; failure?: never } | { failure: OperationFailure | undefined; result?: never };

/** Calls any operation with any input. */
export async function call(endpoint: string, operation: string, input: unknown): Promise<Answered> {
  const incode = createNexusServiceClient({ service: onboardingService, endpoint });
  try {
    return { result: await incode.executeOperation(operation as 'state', input as { interviewId: string }) };
  } catch (error) {
    return { failure: operationFailure(error) };
  }
}
