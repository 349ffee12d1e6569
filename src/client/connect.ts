import { Client, Connection } from '@temporalio/client';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { channelArgsFor } from '../loopback.js';
import { TemporalConfigurationError, TemporalUnavailableError } from './errors.js';
import { OnboardingClient } from './onboarding-client.js';
import { grpcError, unavailable } from './temporal-failure.js';

export interface ConnectOptions {
  /**
   * Host and port of the Temporal server. One that is not the configured one gets no configured credentials.
   *
   * @default `TEMPORAL_ADDRESS`, the profile file, or `localhost:7233`
   */
  address?: string;
  /** @default `TEMPORAL_NAMESPACE`, the profile file, or `default` */
  namespace?: string;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
}

/** An {@link OnboardingClient} that owns its connection. */
export interface ConnectedOnboardingClient extends OnboardingClient {
  close(): Promise<void>;
}

/**
 * Connects as every Temporal tool does: by `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…` and
 * the profile file that `temporal config` writes.
 *
 * @throws TemporalConfigurationError if those are wrong
 * @throws TemporalUnavailableError if no server answers there within 5 s, or it refuses the credentials
 */
export async function connectOnboardingClient(options: ConnectOptions = {}): Promise<ConnectedOnboardingClient> {
  const { connection, namespace } = await connectTemporal(options);
  const client = new OnboardingClient({
    client: new Client({ connection, namespace }),
    ...(options.taskQueue ? { taskQueue: options.taskQueue } : {}),
  });
  return Object.assign(client, { close: () => connection.close() });
}

function configured(): ClientConnectConfig {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    throw new TemporalConfigurationError(error);
  }
}

export async function connectTemporal(
  given: Pick<ConnectOptions, 'address' | 'namespace'> = {},
): Promise<{ connection: Connection; namespace: string }> {
  const { connectionOptions, namespace } = configured();
  const { address } = connectionOptions;
  // Credentials belong to the address beside which they stand, and must not reach another one.
  const isElsewhere = given.address !== undefined && address !== undefined && given.address !== address;
  const { apiKey, tls, metadata } = isElsewhere ? {} : connectionOptions;
  const target = given.address ?? address ?? 'localhost:7233';
  const where = { address: target, namespace: given.namespace ?? namespace ?? 'default' };
  const connection = Connection.lazy({
    // The SDK's 10 s are long for somebody at a terminal who has mistyped an address.
    connectTimeout: '5s',
    address: target,
    channelArgs: channelArgsFor(target),
    ...(apiKey ? { apiKey } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(metadata ? { metadata: metadata as Record<string, string> } : {}),
  });
  try {
    await connection.ensureConnected();
  } catch (error) {
    await connection.close();
    // Without an answer gRPC has an error of no kind.
    throw grpcError(error) ? unavailable(where, error) : new TemporalUnavailableError('away', where, error);
  }
  return { connection, namespace: where.namespace };
}
