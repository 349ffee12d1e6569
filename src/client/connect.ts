import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import {
  checkPlaintext,
  encryptedDataConverter,
  type KeyRing,
  keysFromEnvironment,
  PlaintextError,
  requiresEncryption,
} from '../codec/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { channelArgsFor } from '../temporal/address.js';
import { checkAddress, DEFAULT_ADDRESS, loadTemporalConfig, type TemporalConfig } from '../temporal/environment.js';
import { isConnectionRefused } from './connectivity.js';
import { OnboardingClient } from './onboarding-client.js';
import { TemporalConfigurationError, TemporalUnavailableError } from './temporal-errors.js';
import { failureAt, grpcError, isUpdateLimit } from './temporal-failure.js';

export interface ConnectOptions {
  /**
   * Host and port of the Temporal server. If it differs from the configured address, the configured credentials are not used.
   *
   * @default `TEMPORAL_ADDRESS`, the profile file, or `localhost:7233`
   */
  address?: string;
  /** @default `TEMPORAL_NAMESPACE`, the profile file, or `default` */
  namespace?: string;
  /** Task queue of the workers that complete sessions. @default "incode-onboarding" */
  taskQueue?: string;
  /** Task queue of the workers that complete batches, for `completeBatch` with this client. @default "incode-onboarding-bulk" */
  bulkTaskQueue?: string;
  /**
   * Keys that encrypt everything sent to the server. Workers need the same keys.
   *
   * @default the keys from `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE` or `TEMPORAL_INCODE_ENCRYPTION_KEYS`
   */
  encryptionKeys?: KeyRing;
  /**
   * Refuses to connect without keys, and refuses answers that are not encrypted.
   *
   * @default `TEMPORAL_INCODE_REQUIRE_ENCRYPTION`, or `false`
   */
  requireEncryption?: boolean;
  /**
   * Called once for each change of the file with encryption keys or the API key that cannot be loaded. The previous ones stay in use.
   *
   * @default emits a process warning (`process.on('warning')`) named `SecretFileWarning`
   */
  onWarning?: (warning: string) => void;
}

/** An {@link OnboardingClient} that owns its connection. */
export interface ConnectedOnboardingClient extends OnboardingClient {
  /**
   * Closes the connection. Requests that are being retried fail within five seconds, a `result` that waits within 20 s. Later calls
   * throw `ClientClosedError`.
   */
  close(): Promise<void>;
}

/**
 * Connects with the same settings as every Temporal tool: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS…` and the profile file that `temporal config` writes. `TEMPORAL_API_KEY_FILE` names a file with the API key, which is read
 * again when it changes.
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
 * @throws TemporalConfigurationError if these settings are wrong, or the server runs on another machine and there are no
 * encryption keys
 * @throws TemporalUnavailableError at once if nothing is listening at the address or the server refuses the credentials; after
 * 5 s if no server answers
 */
export async function connectOnboardingClient(options: ConnectOptions = {}): Promise<ConnectedOnboardingClient> {
  const target = targetOf(options);
  const dataConverter = converter(options, target.address);
  const { connection, close } = await reach(target);
  const { namespace } = target;
  const client = new OnboardingClient({
    client: new Client({ connection, namespace, dataConverter }),
    ...(options.taskQueue ? { taskQueue: options.taskQueue } : {}),
    ...(options.bulkTaskQueue ? { bulkTaskQueue: options.bulkTaskQueue } : {}),
  });
  return Object.assign(client, { close });
}

function configured({ address, onWarning }: TargetOptions): TemporalConfig {
  try {
    if (address !== undefined) checkAddress(address);
    return loadTemporalConfig(undefined, onWarning);
  } catch (error) {
    throw new TemporalConfigurationError(error);
  }
}

/** @throws TemporalConfigurationError */
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

/** A connection for requests that carry no session data and therefore need no keys. */
export async function connectTemporal(
  options: Pick<ConnectOptions, 'address' | 'namespace'> = {},
): Promise<{ connection: Connection; namespace: string }> {
  const target = targetOf(options);
  return { connection: (await reach(target)).connection, namespace: target.namespace };
}

type TargetOptions = Pick<ConnectOptions, 'address' | 'namespace' | 'onWarning'>;

interface Target {
  address: string;
  namespace: string;
  credentials: Pick<TemporalConfig['connectionOptions'], 'apiKey' | 'tls' | 'metadata'>;
}

function targetOf(options: TargetOptions): Target {
  const { connectionOptions, namespace } = configured(options);
  const { address } = connectionOptions;
  // Credentials are configured for one address and must not reach another.
  const isElsewhere = options.address !== undefined && address !== undefined && options.address !== address;
  return {
    address: options.address ?? address ?? DEFAULT_ADDRESS,
    namespace: options.namespace ?? namespace ?? 'default',
    credentials: isElsewhere ? {} : connectionOptions,
  };
}

/** Long enough for every network. The SDK's default of 10 s is too long for a user who mistyped the address. */
const CONNECT_TIMEOUT_MS = 5_000;

/** The part of it in which a refused connection shows. */
const REFUSED_WITHIN_MS = 1_000;

async function reach(target: Target): Promise<{ connection: Connection; close: () => Promise<void> }> {
  const { address, credentials } = target;
  const { apiKey, tls, metadata } = credentials;
  const retries = closableRetries();
  const connection = Connection.lazy({
    connectTimeout: CONNECT_TIMEOUT_MS - REFUSED_WITHIN_MS,
    address,
    // Not shared: otherwise this connection waits for the backoff of another client's attempts.
    channelArgs: { ...channelArgsFor(address), 'grpc.use_local_subchannel_pool': 1 },
    interceptors: [retries.interceptor],
    // A function, so that printing the connection does not reveal the key.
    ...(apiKey === undefined ? {} : { apiKey: typeof apiKey === 'string' ? () => apiKey : apiKey }),
    ...omitUndefined({ tls }),
    ...(metadata ? { metadata: metadata as Record<string, string> } : {}),
  });
  const close = async () => {
    await retries.end();
    await connection.close();
  };
  try {
    // One after the other: a channel that is closed while something waits for it keeps trying until the timeout (grpc-js 1.14).
    await checkListening(connection, target);
    await connection.ensureConnected();
    return { connection, close };
  } catch (error) {
    await close();
    // If the server does not answer, the error has no gRPC status.
    const isKnown = error instanceof TemporalUnavailableError || grpcError(error) !== undefined;
    throw isKnown ? failureAt(target, error, false) : new TemporalUnavailableError('away', target, error, false);
  }
}

/** @throws TemporalUnavailableError as soon as the connection is refused */
async function checkListening(connection: Connection, target: Target): Promise<void> {
  if (await isConnectionRefused(connection, Date.now() + REFUSED_WITHIN_MS)) {
    throw new TemporalUnavailableError('notListening', target, undefined, false);
  }
}

/** If the connection closes between two attempts, the SDK's retries throw an error that cannot be caught (seen in 1.24). */
function closableRetries() {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let isEnding = false;
  let lastRetryAt = 0;
  const interceptor = makeGrpcRetryInterceptor({
    // An update for which the workflow has no room is not retried, because the caller can send a signal instead.
    retryableDecider: (attempt, status) => !isEnding && !isUpdateLimit(status) && retryableDecider(attempt, status),
    delayFunction: (attempt, status) => {
      const delay = delayFunction(attempt, status);
      lastRetryAt = Math.max(lastRetryAt, Date.now() + delay);
      return delay;
    },
  });
  return {
    interceptor,
    /** Stops retrying and waits until all scheduled retries have been sent. */
    async end(): Promise<void> {
      isEnding = true;
      const wait = lastRetryAt - Date.now();
      if (wait > -RETRY_SLACK_MS) await sleep(wait + RETRY_SLACK_MS);
    },
  };
}

/** Timers may fire some milliseconds early or late. */
const RETRY_SLACK_MS = 50;
