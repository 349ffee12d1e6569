import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { keepSecret } from '../secrets/index.js';

/** Where a Temporal server is when nobody says. */
export const DEFAULT_ADDRESS = 'localhost:7233';

/**
 * `TEMPORAL_ADDRESS` and the like, and the profile file that `temporal config` writes.
 *
 * @param env read instead of `process.env`
 * @throws Error without the lines of the file, or a value: the API key stands there
 */
export function loadTemporalConfig(env?: Record<string, string>): ClientConnectConfig {
  const config = loaded(env);
  const { address, apiKey, metadata } = config.connectionOptions;
  if (address !== undefined) checkAddress(address);
  if (typeof apiKey === 'string' && !SENDABLE.test(keepSecret(apiKey))) {
    throw new Error('the API key has characters that cannot be sent, such as a line break');
  }
  for (const [name, value] of Object.entries({ ...metadata })) {
    if (!SENDABLE.test(String(value))) {
      throw new Error(`the value of metadata ${name} has characters that cannot be sent, such as a line break`);
    }
  }
  return config;
}

/** Addresses stand in messages and logs. @throws Error that does not repeat it */
export function checkAddress(address: string): void {
  if (address.includes('@')) {
    throw new Error('the address must be a host and port such as localhost:7233, without credentials');
  }
}

/** What gRPC sends in a header. It refuses anything else too, in a message that repeats the value. */
const SENDABLE = /^[\x20-\x7e]*$/;

function loaded(env?: Record<string, string>): ClientConnectConfig {
  try {
    return loadClientConnectConfig(env ? { overrideEnvVars: env } : {});
  } catch (error) {
    const { message, line, column } = error as Error & { line?: number; column?: number };
    // The parser of the file quotes what stands around the mistake, after its first line.
    const what = message.replace(/\n.*/s, '');
    throw new Error(line === undefined ? what : `${what} (line ${line}, column ${column})`);
  }
}

const addresses = new WeakMap<object, string>();

/** For a worker's connection, which does not tell where it leads. */
export function rememberAddress(connection: object, address: string): void {
  addresses.set(connection, address);
}

export function rememberedAddress(connection: object): string | undefined {
  return addresses.get(connection);
}
