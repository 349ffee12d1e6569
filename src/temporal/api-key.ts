import { keepSecret, secretFile } from '../secrets/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = 'TEMPORAL_API_KEY';
const FILE_VARIABLE = `${VARIABLE}_FILE`;

/** The characters that gRPC allows in a header. Its own error would repeat the value. */
export const SENDABLE = /^[\x20-\x7e]*$/;

/**
 * @returns the current key of the file that `TEMPORAL_API_KEY_FILE` names; `undefined` if it is not set
 * @throws Error that names the variable and does not repeat the key
 */
export function apiKeyFile(env: Environment, onWarning?: (warning: string) => void): (() => string) | undefined {
  const path = env[FILE_VARIABLE]?.trim();
  if (!path) return undefined;
  if (env[VARIABLE]) throw new Error(`${VARIABLE} and ${FILE_VARIABLE} exclude each other`);
  return secretFile(path, {
    parse: (text) => {
      const key = text.trim();
      if (key === '') throw new Error(`${FILE_VARIABLE} names an empty file`);
      if (!SENDABLE.test(key)) throw new Error(`${FILE_VARIABLE} contains a character that cannot be sent`);
      return keepSecret(key);
    },
    unreadable: (code) => new Error(`${FILE_VARIABLE} names a file that cannot be read (${code})`),
    onWarning,
  }).value;
}

/** As often as a file of secrets is read again. */
const RENEW_EVERY_MS = 5_000;

/**
 * Keeps the key of a worker's connection the newest one. A client's connection asks for the key before each request; a worker's does not.
 *
 * @returns stops it
 */
export function renewApiKey(connection: { setApiKey(key: string): Promise<void> }, current: () => string): () => void {
  let used = current();
  const timer = setInterval(async () => {
    const newest = current();
    if (newest === used) return;
    used = newest;
    // Fails only if the connection has been closed meanwhile.
    await connection.setApiKey(newest).catch(() => undefined);
  }, RENEW_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
