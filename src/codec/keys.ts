import { readFileSync, statSync } from 'node:fs';

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
export class EncryptionKeyError extends Error {
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
  const [first] = list;
  if (!first) throw new EncryptionKeyError('There is no encryption key: one is needed to write with.');
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
  return { writing: () => first, reading: (id) => known.get(id) };
}

/** How often a file is looked at for changes. A key that is not known is looked for at once. */
const LOOK_EVERY_MS = 5_000;

/**
 * Keys in a file, `id:base64` a line, the first one writes. It is read again when it changes, so that keys are rotated without a
 * restart: add a key at the end everywhere, then move it to the front. A file that has become wrong changes nothing.
 *
 * @param onProblem told of a change that could not be taken over
 * @throws EncryptionKeyError if it cannot be read at the start
 */
export function keyRingFile(path: string, onProblem: (problem: string) => void = () => undefined): KeyRing {
  let stamp = stampOf(path);
  let ring = keyRing(read(path));
  let lookedAt = Date.now();

  function look(): void {
    lookedAt = Date.now();
    try {
      const now = stampOf(path);
      if (now === stamp) return;
      ring = keyRing(read(path));
      stamp = now;
    } catch (error) {
      onProblem((error as EncryptionKeyError).message);
    }
  }
  return {
    writing() {
      if (Date.now() - lookedAt >= LOOK_EVERY_MS) look();
      return ring.writing();
    },
    reading(id) {
      if (ring.reading(id) === undefined) look();
      return ring.reading(id);
    },
  };
}

function stampOf(path: string): string {
  try {
    // Of what a mounted secret's link points to, which is another file after each change.
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    throw unreadable(path);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw unreadable(path);
  }
}

function unreadable(path: string): EncryptionKeyError {
  return new EncryptionKeyError(`The file of encryption keys, ${path}, does not exist or cannot be read.`);
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
    return { id: entry.slice(0, at), key: Buffer.from(encoded, 'base64') };
  });
}
