import { type OnboardingClient, TemporalRequestError } from '../../client/index.js';
import { temporalFailure } from '../../client/temporal-failure.js';
import { CliError } from '../shared/exit.js';

/** @returns the error to throw after a failed list query */
export function queryError({ temporal }: OnboardingClient, error: unknown): unknown {
  if (error instanceof CliError) return error;
  const failure = temporalFailure(temporal, error);
  if (!(failure instanceof TemporalRequestError) || failure.status !== 'INVALID_ARGUMENT') return failure;
  return new CliError(`Temporal refuses the query. ${failure.message}`);
}
