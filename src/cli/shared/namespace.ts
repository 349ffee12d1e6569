import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { isCloudConnection } from '../../temporal/cloud.js';
import { GRPC } from '../../temporal/grpc.js';
import { CliError } from './exit.js';

export const DAY_MS = 86_400_000;

/**
 * Recommended minimum retention: after it, results and histories are gone. A week covers a person's second try and a batch that is
 * resumed after a weekend.
 */
export const MINIMUM_RETENTION_MS = 7 * DAY_MS;

/**
 * @returns how long closed workflows are kept
 * @throws CliError if the namespace does not exist
 */
export async function retentionOf({ workflowService }: Connection, namespace: string): Promise<number> {
  try {
    const { config } = await workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== GRPC.notFound) throw error;
    throw new CliError(`Namespace ${namespace} does not exist. Choose another one with --namespace, or create it:
  temporal operator namespace create --namespace ${namespace} --retention 30d`);
  }
}

export function days(ms: number): string {
  const count = Math.round((ms / DAY_MS) * 10) / 10;
  return count === 1 ? '1 day' : `${count} days`;
}

/** Temporal Cloud's limit. */
const CLOUD_MAX_RETENTION_MS = 90 * DAY_MS;

/** @throws CliError if Temporal would refuse the retention */
export function checkRetention(retentionMs: number, connection: object): void {
  if (retentionMs < DAY_MS) throw new CliError('--retention must be at least 1 day');
  if (retentionMs > CLOUD_MAX_RETENTION_MS && isCloudConnection(connection))
    throw new CliError(`--retention: Temporal Cloud keeps workflows for at most ${days(CLOUD_MAX_RETENTION_MS)}`);
}
