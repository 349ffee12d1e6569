import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
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
import { isConnectionRefused } from './connectivity.js';
import { OnboardingClient } from './onboarding-client.js';
import { TemporalConfigurationError, TemporalUnavailableError } from './temporal-errors.js';
import { failureAt, grpcError, isUpdateLimit } from './temporal-failure.js';

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
   * Keys that encrypt what is handed to the server. Workers need the same keys.
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
   * Called once for each change of the configured key file that could not be taken over. The earlier keys stay in use.
   *
   * @default a warning of the process (`process.on('warning')`), `SecretFileWarning`
   */
  onWarning?: (warning: string) => void;
}

/** An {@link OnboardingClient} that owns its connection. */
export interface ConnectedOnboardingClient extends OnboardingClient {
  /** Ends the connection. Requests that are being retried fail first, within five seconds. Later calls throw `ClientClosedError`. */
  close(): Promise<void>;
}

/**
 * Connects as every Temporal tool does: by `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…` and
 * the profile file that `temporal config` writes.
 *
 * @example
 * ```ts
 * const onboarding = await connectOnboardingClient({ address: 'localhost:7233' });
 * try {
 *   await onboarding.start({ interviewId, sessionToken });
 * } finally {
 *   await onboarding.close();
 * }
 * ```
 * @throws TemporalConfigurationError if those are wrong, or the server is not on this machine and there are no encryption keys
 * @throws TemporalUnavailableError at once if nothing is listening there; if no server answers within 5 s, or it refuses the
 * credentials
 */
export async function connectOnboardingClient(options: ConnectOptions = {}): Promise<ConnectedOnboardingClient> {
  const target = targetOf(options);
  const dataConverter = converter(options, target.address);
  const { connection, close } = await reach(target);
  const { namespace } = target;
  const client = new OnboardingClient({
    client: new Client({ connection, namespace, dataConverter }),
    ...(options.taskQueue ? { taskQueue: options.taskQueue } : {}),
  });
  return Object.assign(client, { close });
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

/** A connection for what concerns no session, and so needs no keys. */
export async function connectTemporal(
  given: Pick<ConnectOptions, 'address' | 'namespace'> = {},
): Promise<{ connection: Connection; namespace: string }> {
  const target = targetOf(given);
  return { connection: (await reach(target)).connection, namespace: target.namespace };
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

/** Long enough for every network. The SDK's 10 s are long for somebody at a terminal who has mistyped an address. */
const CONNECT_TIMEOUT_MS = 5_000;

async function reach(target: Target): Promise<{ connection: Connection; close: () => Promise<void> }> {
  const { address, credentials } = target;
  const { apiKey, tls, metadata } = credentials;
  const retries = closableRetries();
  const connection = Connection.lazy({
    connectTimeout: CONNECT_TIMEOUT_MS,
    address,
    // A connection of its own: gRPC otherwise lets it wait for the next attempt of another client's.
    channelArgs: { ...channelArgsFor(address), 'grpc.use_local_subchannel_pool': 1 },
    interceptors: [retries.interceptor],
    // As a function, which shows nothing when somebody prints the connection.
    ...(typeof apiKey === 'string' ? { apiKey: () => apiKey } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(metadata ? { metadata: metadata as Record<string, string> } : {}),
  });
  const close = async () => {
    await retries.end();
    await connection.close();
  };
  try {
    await Promise.all([connection.ensureConnected(), checkListening(connection, target)]);
    return { connection, close };
  } catch (error) {
    await close();
    // Without an answer gRPC has an error of no kind.
    const isKnown = error instanceof TemporalUnavailableError || grpcError(error) !== undefined;
    throw isKnown ? failureAt(target, error, false) : new TemporalUnavailableError('away', target, error, false);
  }
}

/** @throws TemporalUnavailableError as soon as it is known that nothing is */
async function checkListening(connection: Connection, target: Target): Promise<void> {
  if (await isConnectionRefused(connection, Date.now() + CONNECT_TIMEOUT_MS)) {
    throw new TemporalUnavailableError('notListening', target, undefined, false);
  }
}

/** The SDK's retries throw where nobody can catch it if the connection is closed between two attempts: seen in 1.24. */
function closableRetries() {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let isEnding = false;
  let lastRetryAt = 0;
  const interceptor = makeGrpcRetryInterceptor({
    // There is a signal for what has no room as an update.
    retryableDecider: (attempt, status) => !isEnding && !isUpdateLimit(status) && retryableDecider(attempt, status),
    delayFunction: (attempt, status) => {
      const delay = delayFunction(attempt, status);
      lastRetryAt = Math.max(lastRetryAt, Date.now() + delay);
      return delay;
    },
  });
  return {
    interceptor,
    /** Waits until the retries that are planned have been sent, after which there are no more. */
    async end(): Promise<void> {
      isEnding = true;
      const wait = lastRetryAt - Date.now();
      if (wait > -RETRY_SLACK_MS) await sleep(wait + RETRY_SLACK_MS);
    },
  };
}

/** Timers may fire some milliseconds early or late. */
const RETRY_SLACK_MS = 50;
