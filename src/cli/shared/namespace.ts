import { type Connection, isGrpcServiceError } from '@temporalio/client';
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

/** On Temporal Cloud, these settings need Cloud's own command instead of the server's API. */
export function isCloud({ options }: { options: { address: string } }): boolean {
  return /\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(options.address);
}

export function cloudAttributesCommand(namespace: string, names: readonly string[]): string {
  const attributes = names.map((name) => `--search-attribute ${name}=Keyword`).join(' ');
  return `tcld namespace search-attributes add --namespace ${namespace} ${attributes}`;
}

/** Temporal Cloud accepts only whole days. */
export function cloudRetentionCommand(namespace: string, retentionMs: number): string {
  return `tcld namespace retention set --namespace ${namespace} --retention-days ${Math.ceil(retentionMs / DAY_MS)}`;
}
