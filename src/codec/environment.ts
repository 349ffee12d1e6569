import { isLoopback } from '../secrets/index.js';
import { EncryptionKeyError, type KeyRing, keyRing, keyRingFile } from './keys.js';

type Environment = Readonly<Record<string, string | undefined>>;

const KEYS = 'TEMPORAL_INCODE_ENCRYPTION_KEYS';
const KEYS_FILE = `${KEYS}_FILE`;
const ALLOW_PLAINTEXT = 'TEMPORAL_INCODE_ALLOW_PLAINTEXT';

/** Payloads would leave this machine in clear text: session tokens, which are credentials for 90 days, among them. */
export class PlaintextError extends Error {
  override readonly name = 'PlaintextError';

  constructor(address: string) {
    super(
      `Session tokens would go to the Temporal server at ${address} in clear text. Set ${KEYS_FILE} to a file with a ` +
        `line id:base64 for each key (openssl rand -base64 32 makes one), the same for workers and callers, or ${ALLOW_PLAINTEXT}=true.`,
    );
  }
}

/** The variables that concern encryption, for a process that is to read and write what this one does. */
export function encryptionEnvironment(env: Environment = process.env): Record<string, string> {
  const set = [KEYS, KEYS_FILE, ALLOW_PLAINTEXT].flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  return Object.fromEntries(set);
}

/**
 * The keys that the environment names: `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE`, which is read again when it changes, or
 * `TEMPORAL_INCODE_ENCRYPTION_KEYS`.
 *
 * @param onWarning told when a file that changes has become wrong; what was read before stays. @default a warning of the process
 * @returns `undefined` if it names none
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
 * A server on this machine, and one that is allowed to see everything, need no keys.
 *
 * @throws PlaintextError
 */
export function checkPlaintext(address: string, env: Environment = process.env): void {
  const isAllowed = env[ALLOW_PLAINTEXT]?.trim().toLowerCase() === 'true';
  if (!isAllowed && !isLoopback(address)) throw new PlaintextError(address);
}
