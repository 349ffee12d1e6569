import { TemporalIncodeError } from '../contract/index.js';
import { HIDDEN, keepSecret, redactWhenPrinted, secretFile } from '../secrets/index.js';

/** A key and the name under which payloads say which one opens them. */
export interface EncryptionKey {
  /** No secret: it stands beside each payload. */
  id: string;
  /** 32 bytes: AES-256. */
  key: Uint8Array;
}

/** One key to write with, and those that can still be read. */
export interface KeyRing {
  writing(): EncryptionKey;
  /** @returns `undefined` if there is no such key */
  reading(id: string): Uint8Array | undefined;
}

/** The keys are wrong, or a payload names one that is not there. Says which, never a key. */
export class EncryptionKeyError extends TemporalIncodeError {
  override readonly name = 'EncryptionKeyError';
}

const KEY_BYTES = 32;
const KEY_ID = /^[\w.-]{1,64}$/;

/**
 * Keys that do not change while the process runs.
 *
 * @param keys the first one writes, all of them read; or as text, `id:base64` each, separated by commas, spaces or lines
 * @throws EncryptionKeyError
 */
export function keyRing(keys: readonly EncryptionKey[] | string): KeyRing {
  const list = typeof keys === 'string' ? parseKeys(keys) : keys;
  const [given] = list;
  if (!given) throw new EncryptionKeyError('There is no encryption key: one is needed to write with.');
  const known = new Map<string, Uint8Array>();
  for (const { id, key } of list) {
    if (!KEY_ID.test(id)) {
      throw new EncryptionKeyError('The id of an encryption key is 1 to 64 letters, digits, ".", "_" or "-".');
    }
    if (known.has(id)) throw new EncryptionKeyError(`Encryption key ${id} is there twice. Each id stands for one key.`);
    if (key.length !== KEY_BYTES) {
      throw new EncryptionKeyError(
        `Encryption key ${id} has ${key.length} bytes, not 32. Make one: openssl rand -base64 32`,
      );
    }
    known.set(id, key);
  }
  const first = redactWhenPrinted({ ...given }, { id: given.id, key: HIDDEN });
  return { writing: () => first, reading: (id) => known.get(id) };
}

/**
 * Keys in a file, `id:base64` a line, the first one writes. It is looked at every five seconds, and at once for a key that is not
 * known, so that keys are rotated without a restart: add a key at the end everywhere, then move it to the front. A file that has
 * become wrong changes nothing.
 *
 * @param onWarning told once of each change that could not be taken over. @default a warning of the process, `SecretFileWarning`
 * @throws EncryptionKeyError if it cannot be read at the start
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
    // Not repeated: whoever forgot the id has written a key here.
    if (at < 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
      throw new EncryptionKeyError(`Encryption key ${index + 1} of ${entries.length} is not written as id:base64.`);
    }
    return { id: entry.slice(0, at), key: Buffer.from(keepSecret(encoded), 'base64') };
  });
}
