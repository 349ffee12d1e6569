import { isCloudAddress } from './address.js';
import type { TemporalConfig } from './environment.js';

/** With PrivateLink, only the TLS server name shows that an address is Temporal Cloud's. */
export function isCloud(address: string | undefined, serverName: string | undefined): boolean {
  return isCloudAddress(address ?? '') || isCloudAddress(serverName ?? '');
}

/** @returns the name that the server's certificate must have, if one is configured */
export function serverNameOf({ tls }: Pick<TemporalConfig['connectionOptions'], 'tls'>): string | undefined {
  return typeof tls === 'object' ? tls?.serverNameOverride : undefined;
}

const cloudConnections = new WeakSet<object>();

/** Stores that a worker's connection, which has no property for it, leads to Temporal Cloud. */
export function rememberCloud(connection: object): void {
  cloudConnections.add(connection);
}

/** The SDK's client connection keeps the TLS server name as a gRPC option (seen in 1.24). */
const SERVER_NAME_OPTION = 'grpc.ssl_target_name_override';

interface ClientConnection {
  options?: { address?: string; channelArgs?: Readonly<Record<string, unknown>> };
}

/** Temporal Cloud refuses some of the server's API. These settings need Cloud's own command. */
export function isCloudConnection(connection: object): boolean {
  const { address, channelArgs } = (connection as ClientConnection).options ?? {};
  const serverName = channelArgs?.[SERVER_NAME_OPTION];
  return cloudConnections.has(connection) || isCloud(address, serverName as string | undefined);
}

export function cloudAttributesCommand(namespace: string, names: readonly string[]): string {
  const attributes = names.map((name) => `--search-attribute ${name}=Keyword`).join(' ');
  return `tcld namespace search-attributes add --namespace ${namespace} ${attributes}`;
}

const DAY_MS = 86_400_000;

/** Temporal Cloud accepts only whole days. */
export function cloudRetentionCommand(namespace: string, retentionMs: number): string {
  return `tcld namespace retention set --namespace ${namespace} --retention-days ${Math.ceil(retentionMs / DAY_MS)}`;
}
