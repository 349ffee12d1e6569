import { isGrpcServiceError } from '@temporalio/client';
import type { OnboardingClient } from '../../client/index.js';
import { temporalFailure } from '../../client/temporal-failure.js';
import { CliError } from '../exit.js';

/** gRPC's INVALID_ARGUMENT. */
const INVALID_ARGUMENT = 3;

/** @returns what to throw when a list could not be read */
export function queryError({ temporal }: OnboardingClient, error: unknown): unknown {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!isGrpcServiceError(cause) || cause.code !== INVALID_ARGUMENT) return temporalFailure(temporal, error);
  return new CliError(
    `Temporal refuses the query: ${cause.details}\nDoes the namespace have the search attributes? temporal-incode setup registers them.`,
  );
}
