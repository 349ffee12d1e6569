import { TemporalIncodeError } from '../contract/index.js';
import { HIDDEN, keepSecret, redactWhenPrinted, secretFile } from '../secrets/index.js';

/** An encryption key and the id that payloads carry to name it. */
export interface EncryptionKey {
  /** Not a secret: each payload carries it in clear text. */
  id: string;
  /** 32 bytes: AES-256. */
  key: Uint8Array;
}

/** The key that encrypts, and all keys that can decrypt. */
export interface KeyRing {
  /** The key that encrypts. */
  writing(): EncryptionKey;
  /** The key with this id, to decrypt with; `undefined` if there is none. */
  reading(id: string): Uint8Array | undefined;
}

/** The keys are invalid, or a payload cannot be read with them. The message names ids, never keys. */
export class EncryptionKeyError extends TemporalIncodeError {
  override readonly name = 'EncryptionKeyError';
}

const KEY_BYTES = 32;
const KEY_ID = /^[\w.-]{1,64}$/;

/**
 * Creates a key ring that does not change while the process runs.
 *
 * @param keys the first key encrypts, all keys decrypt. As text: `id:base64`, separated by commas, spaces or line breaks
 * @throws EncryptionKeyError
 */
export function keyRing(keys: readonly EncryptionKey[] | string): KeyRing {
  const list = typeof keys === 'string' ? parseKeys(keys) : keys;
  const [writer] = list;
  if (!writer) throw new EncryptionKeyError('There is no encryption key, but one is needed to encrypt.');
  const keysById = new Map<string, Uint8Array>();
  for (const { id, key } of list) {
    if (!KEY_ID.test(id)) {
      throw new EncryptionKeyError('The id of an encryption key must be 1 to 64 letters, digits, ".", "_" or "-".');
    }
    if (keysById.has(id))
      throw new EncryptionKeyError(`Two encryption keys have the id ${id}. Each id must be unique.`);
    if (key.length !== KEY_BYTES) {
      throw new EncryptionKeyError(
        `Encryption key ${id} has ${key.length} bytes, not 32. Make one: openssl rand -base64 32`,
      );
    }
    keysById.set(id, key);
  }
  const first = redactWhenPrinted({ ...writer }, { id: writer.id, key: HIDDEN });
  return { writing: () => first, reading: (id) => keysById.get(id) };
}

/**
 * Reads keys from a file with one `id:base64` a line; the first key encrypts. The file is read again every five seconds, and at once for
 * an unknown key, so that you can rotate keys without a restart: add the new key at the end on all machines, then move it to the front.
 * If the file becomes invalid, the last valid keys stay in use.
 *
 * @example
 * const keys = keyRingFile('/run/secrets/encryption-keys');
 * const worker = await Worker.create({ ...options, dataConverter: encryptedDataConverter(keys) });
 *
 * @param onWarning called once for each invalid change. @default a process warning, `SecretFileWarning`
 * @throws EncryptionKeyError if the file cannot be read or is invalid now
 */
export function keyRingFile(path: string, onWarning?: (warning: string) => void): KeyRing {
  const unreadable = () =>
    new EncryptionKeyError(`The file of encryption keys, ${path}, does not exist or cannot be read.`);
  const file = secretFile(path, { parse: (text) => keyRing(text), unreadable, onWarning });
  return {
    writing: () => file.value().writing(),
    reading: (id) => file.value().reading(id) ?? file.latest().reading(id),
  };
}

function parseKeys(text: string): EncryptionKey[] {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  return entries.map((entry, index) => {
    const at = entry.indexOf(':');
    const encoded = entry.slice(at + 1);
    // The entry is not repeated: without an id, it may be a key.
    if (at < 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
      throw new EncryptionKeyError(`Encryption key ${index + 1} of ${entries.length} must be written as id:base64.`);
    }
    return { id: entry.slice(0, at), key: Buffer.from(keepSecret(encoded), 'base64') };
  });
}
