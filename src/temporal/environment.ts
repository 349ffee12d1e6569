import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { keepSecret } from '../secrets/index.js';
import { apiKeyFile, SENDABLE } from './api-key.js';

/** Temporal's own settings. */
export interface TemporalConfig extends Omit<ClientConnectConfig, 'connectionOptions'> {
  connectionOptions: Omit<ClientConnectConfig['connectionOptions'], 'apiKey'> & {
    /** A function if `TEMPORAL_API_KEY_FILE` names its file: it returns the current key. */
    apiKey?: string | (() => string);
  };
}

/** Temporal's address if none is configured. */
export const DEFAULT_ADDRESS = 'localhost:7233';

/**
 * Reads Temporal's own variables, such as `TEMPORAL_ADDRESS`, and the profile file that `temporal config` writes.
 *
 * @throws Error that repeats no line or value of the file, because it contains the API key
 */
export function loadTemporalConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  onWarning?: (warning: string) => void,
): TemporalConfig {
  const currentKey = apiKeyFile(env, onWarning);
  // As a variable, the key turns TLS on.
  const config: TemporalConfig = loaded(currentKey ? { ...env, TEMPORAL_API_KEY: currentKey() } : env);
  const { address, apiKey, metadata } = config.connectionOptions;
  if (address !== undefined) checkAddress(address);
  if (typeof apiKey === 'string' && !SENDABLE.test(keepSecret(apiKey))) {
    throw new Error('the API key contains a character that cannot be sent, such as a line break');
  }
  for (const [name, value] of Object.entries({ ...metadata })) {
    if (!SENDABLE.test(String(value))) {
      throw new Error(`the value of metadata ${name} contains a character that cannot be sent, such as a line break`);
    }
  }
  if (currentKey) config.connectionOptions.apiKey = currentKey;
  return config;
}

/** Refuses credentials in an address, because addresses appear in messages and logs. @throws Error that does not repeat the address */
export function checkAddress(address: string): void {
  if (address.includes('@')) {
    throw new Error('the address must be a host and port such as localhost:7233, without credentials');
  }
}

function loaded(env: Readonly<Record<string, string | undefined>>): ClientConnectConfig {
  const variables = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const overrideEnvVars = Object.fromEntries(variables);
  try {
    return loadClientConnectConfig({ overrideEnvVars });
  } catch (error) {
    const { message, line, column } = error as Error & { line?: number; column?: number };
    // After the first line, the parser's message quotes the file.
    const what = message.replace(/\n.*/s, '');
    throw new Error(line === undefined ? what : `${what} (line ${line}, column ${column})`);
  }
}

const addresses = new WeakMap<object, string>();

/** Stores the address of a worker's connection, which has no property for it. */
export function rememberAddress(connection: object, address: string): void {
  addresses.set(connection, address);
}

export function rememberedAddress(connection: object): string | undefined {
  return addresses.get(connection);
}
