import { isLoopback } from '../network/loopback.js';
import { EncryptionKeyError, type KeyRing, keyRing, keyRingFile } from './keys.js';

type Environment = Readonly<Record<string, string | undefined>>;

const KEYS = 'TEMPORAL_INCODE_ENCRYPTION_KEYS';
const KEYS_FILE = `${KEYS}_FILE`;
const ALLOW_PLAINTEXT = 'TEMPORAL_INCODE_ALLOW_PLAINTEXT';
const REQUIRE_ENCRYPTION = 'TEMPORAL_INCODE_REQUIRE_ENCRYPTION';

const SET_KEYS =
  `Set ${KEYS_FILE} to a file with a line id:base64 for each key (openssl rand -base64 32 makes one), the same for workers ` +
  'and callers';

/** Payloads would be sent in clear text. They contain session tokens, which are credentials for 90 days. */
export class PlaintextError extends Error {
  override readonly name = 'PlaintextError';

  constructor(address: string, isRequired: boolean) {
    super(
      isRequired
        ? `${REQUIRE_ENCRYPTION} is true, but there are no encryption keys. ${SET_KEYS}.`
        : `Session tokens would go to the Temporal server at ${address} in clear text. ${SET_KEYS}, or ${ALLOW_PLAINTEXT}=true.`,
    );
  }
}

/** The encryption variables, for a process that must read and write the same payloads. */
export function encryptionEnvironment(env: Environment = process.env): Record<string, string> {
  const set = [KEYS, KEYS_FILE, ALLOW_PLAINTEXT, REQUIRE_ENCRYPTION].flatMap((name) =>
    env[name] ? [[name, env[name]]] : [],
  );
  return Object.fromEntries(set);
}

/**
 * Reads the keys from `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE`, which is read again when it changes, or from
 * `TEMPORAL_INCODE_ENCRYPTION_KEYS`.
 *
 * @example
 * const keys = keysFromEnvironment();
 * const client = new Client({ connection, ...(keys && { dataConverter: encryptedDataConverter(keys) }) });
 *
 * @param onWarning called when the file becomes invalid; the last valid keys stay in use. @default a process warning
 * @returns `undefined` if no keys are configured
 * @throws EncryptionKeyError
 */
export function keysFromEnvironment(
  env: Environment = process.env,
  onWarning?: (warning: string) => void,
): KeyRing | undefined {
  const file = env[KEYS_FILE]?.trim();
  const inline = env[KEYS]?.trim();
  if (file && inline) throw new EncryptionKeyError(`${KEYS} and ${KEYS_FILE} exclude each other.`);
  if (file) return keyRingFile(file, onWarning);
  return inline ? keyRing(inline) : undefined;
}

/**
 * Whether `TEMPORAL_INCODE_REQUIRE_ENCRYPTION` says to refuse payloads that are not encrypted.
 *
 * @throws EncryptionKeyError for a value that is neither true nor false, because a typo must not turn encryption off
 */
export function requiresEncryption(env: Environment = process.env): boolean {
  const value = env[REQUIRE_ENCRYPTION]?.trim().toLowerCase() || 'false';
  if (value !== 'true' && value !== 'false')
    throw new EncryptionKeyError(`${REQUIRE_ENCRYPTION} must be true or false.`);
  if (value === 'true' && allowsPlaintext(env)) {
    throw new EncryptionKeyError(`${REQUIRE_ENCRYPTION} and ${ALLOW_PLAINTEXT} exclude each other.`);
  }
  return value === 'true';
}

/**
 * Checks whether a client without keys may use this server: one on this machine, or one for which plaintext is allowed.
 *
 * @throws PlaintextError
 * @throws EncryptionKeyError if the environment contradicts itself
 */
export function checkPlaintext(address: string, env: Environment = process.env): void {
  const isRequired = requiresEncryption(env);
  if (isRequired || !(allowsPlaintext(env) || isLoopback(address))) throw new PlaintextError(address, isRequired);
}

function allowsPlaintext(env: Environment): boolean {
  return env[ALLOW_PLAINTEXT]?.trim().toLowerCase() === 'true';
}
