import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import {
  checkPlaintext,
  encryptedDataConverter,
  type KeyRing,
  keysFromEnvironment,
  PlaintextError,
  requiresEncryption,
} from '../codec/index.js';
import { channelArgsFor } from '../temporal/address.js';
import { checkAddress, DEFAULT_ADDRESS, loadTemporalConfig } from '../temporal/environment.js';
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
  /**
   * What is handed to the server is encrypted with them; workers need the same.
   *
   * @default those that `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE` or `TEMPORAL_INCODE_ENCRYPTION_KEYS` names
   */
  encryptionKeys?: KeyRing;
  /**
   * Refuse answers that are not encrypted, and connect to no server without keys.
   *
   * @default `TEMPORAL_INCODE_REQUIRE_ENCRYPTION`, or `false`
   */
  requireEncryption?: boolean;
  /**
   * Told once of each change of the configured file of keys that could not be taken over; the keys from before stay in use.
   *
   * @default a warning of the process (`process.on('warning')`), `SecretFileWarning`
   */
  onWarning?: (warning: string) => void;
}

/** An {@link OnboardingClient} that owns its connection. */
export interface ConnectedOnboardingClient extends OnboardingClient {
  close(): Promise<void>;
}

/**
 * Connects as every Temporal tool does: by `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…` and
 * the profile file that `temporal config` writes.
 *
 * @throws TemporalConfigurationError if those are wrong, or the server is not on this machine and there are no encryption keys
 * @throws TemporalUnavailableError if no server answers there within 5 s, or it refuses the credentials
 */
export async function connectOnboardingClient(options: ConnectOptions = {}): Promise<ConnectedOnboardingClient> {
  const target = targetOf(options);
  const dataConverter = converter(options, target.address);
  const connection = await reach(target);
  const { namespace } = target;
  const client = new OnboardingClient({
    client: new Client({ connection, namespace, dataConverter }),
    ...(options.taskQueue ? { taskQueue: options.taskQueue } : {}),
  });
  return Object.assign(client, { close: () => connection.close() });
}

function configured(given: string | undefined): ClientConnectConfig {
  try {
    if (given !== undefined) checkAddress(given);
    return loadTemporalConfig();
  } catch (error) {
    throw new TemporalConfigurationError(error);
  }
}

/** Before anything is sent. @throws TemporalConfigurationError */
function converter({ encryptionKeys, requireEncryption, onWarning }: ConnectOptions, address: string): DataConverter {
  try {
    const keys = encryptionKeys ?? keysFromEnvironment(undefined, onWarning);
    const isRequired = requireEncryption ?? requiresEncryption();
    if (keys) return encryptedDataConverter(keys, { requireEncryption: isRequired });
    if (isRequired) throw new PlaintextError(address, true);
    checkPlaintext(address);
    return {};
  } catch (error) {
    throw new TemporalConfigurationError(error);
  }
}

/** For what concerns no session, and so needs no keys. */
export async function connectTemporal(
  given: Pick<ConnectOptions, 'address' | 'namespace'> = {},
): Promise<{ connection: Connection; namespace: string }> {
  const target = targetOf(given);
  return { connection: await reach(target), namespace: target.namespace };
}

interface Target {
  address: string;
  namespace: string;
  credentials: Pick<ClientConnectConfig['connectionOptions'], 'apiKey' | 'tls' | 'metadata'>;
}

function targetOf(given: Pick<ConnectOptions, 'address' | 'namespace'>): Target {
  const { connectionOptions, namespace } = configured(given.address);
  const { address } = connectionOptions;
  // Credentials belong to the address beside which they stand, and must not reach another one.
  const isElsewhere = given.address !== undefined && address !== undefined && given.address !== address;
  return {
    address: given.address ?? address ?? DEFAULT_ADDRESS,
    namespace: given.namespace ?? namespace ?? 'default',
    credentials: isElsewhere ? {} : connectionOptions,
  };
}

async function reach({ address, namespace, credentials: { apiKey, tls, metadata } }: Target): Promise<Connection> {
  const connection = Connection.lazy({
    // The SDK's 10 s are long for somebody at a terminal who has mistyped an address.
    connectTimeout: '5s',
    address,
    channelArgs: channelArgsFor(address),
    // As a function, which shows nothing when somebody prints the connection.
    ...(typeof apiKey === 'string' ? { apiKey: () => apiKey } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(metadata ? { metadata: metadata as Record<string, string> } : {}),
  });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    const where = { address, namespace };
    // Without an answer gRPC has an error of no kind.
    throw grpcError(error) ? unavailable(where, error) : new TemporalUnavailableError('away', where, error);
  }
}
