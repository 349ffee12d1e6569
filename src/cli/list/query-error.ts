import { isGrpcServiceError } from '@temporalio/client';
import type { OnboardingClient } from '../../client/index.js';
import { temporalFailure } from '../../client/temporal-failure.js';
import { GRPC } from '../../temporal/grpc.js';
import { CliError } from '../shared/exit.js';

/** @returns what to throw when a list could not be read */
export function queryError({ temporal }: OnboardingClient, error: unknown): unknown {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!isGrpcServiceError(cause) || cause.code !== GRPC.invalidArgument) return temporalFailure(temporal, error);
  return new CliError(
    `Temporal refuses the query: ${cause.details}\nDoes the namespace have the search attributes? temporal-incode setup registers them.`,
  );
}
