import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { GRPC } from '../../temporal/grpc.js';
import { CliError } from './exit.js';

export const DAY_MS = 86_400_000;

/**
 * How long a closed workflow should be remembered at least: as long as that, a session that was completed is not completed
 * again. A week outlasts a person's second try and a batch that is resumed after the weekend.
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
    throw new CliError(`Namespace ${namespace} does not exist. Create it, or name another one with --namespace:
  temporal operator namespace create --namespace ${namespace} --retention 30d`);
  }
}

export function days(ms: number): string {
  const count = Math.round((ms / DAY_MS) * 10) / 10;
  return count === 1 ? '1 day' : `${count} days`;
}

/** Temporal Cloud has its own command for what is set here by API elsewhere. */
export function isCloud({ options }: { options: { address: string } }): boolean {
  return /\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(options.address);
}

export function cloudAttributesCommand(namespace: string, names: readonly string[]): string {
  const attributes = names.map((name) => `--search-attribute ${name}=Keyword`).join(' ');
  return `tcld namespace search-attributes add --namespace ${namespace} ${attributes}`;
}

/** Temporal Cloud takes whole days. */
export function cloudRetentionCommand(namespace: string, retentionMs: number): string {
  return `tcld namespace retention set --namespace ${namespace} --retention-days ${Math.ceil(retentionMs / DAY_MS)}`;
}
