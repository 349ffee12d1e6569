import type { KeyRing } from '../codec/index.js';
import { ConfigError, type Environment, reader } from './reader.js';

/** What a codec server is told by its environment. `docs/encryption.md` has a line for each variable. */
export interface CodecServerConfig {
  readonly keys: KeyRing;
  /** `CODEC_SERVER_HOST`. @default "127.0.0.1": who may reach it is for the operator to decide. */
  readonly host: string;
  /** `CODEC_SERVER_PORT`. @default 8089 */
  readonly port: number;
  /** `CODEC_SERVER_TOKENS`, at least one */
  readonly tokens: readonly string[];
  /** `CODEC_SERVER_ORIGINS`. @default none: only programs may ask */
  readonly origins: readonly string[];
}

/** @throws ConfigError naming every wrong variable, and repeating no secret */
export function readCodecServerConfig(env: Environment = process.env): CodecServerConfig {
  const read = reader(env);
  const { problems } = read;
  const keys = read.encryptionKeys();
  if (!keys && problems.length === 0) {
    problems.push('TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE or TEMPORAL_INCODE_ENCRYPTION_KEYS is required');
  }
  const config = {
    host: read.text('CODEC_SERVER_HOST') ?? '127.0.0.1',
    port: read.integer('CODEC_SERVER_PORT', 8_089, 65_535),
    tokens: listOf(read.text('CODEC_SERVER_TOKENS')),
    origins: listOf(read.text('CODEC_SERVER_ORIGINS')),
  };
  if (config.tokens.length === 0)
    problems.push('CODEC_SERVER_TOKENS is required: whoever knows one may read every payload');
  if (config.tokens.some((token) => !/^[\x21-\x7e]{16,}$/.test(token))) {
    problems.push('CODEC_SERVER_TOKENS must each have at least 16 characters of printable ASCII without spaces');
  }
  const wrong = config.origins.filter((origin) => !isOrigin(origin));
  if (wrong.length > 0)
    problems.push(`CODEC_SERVER_ORIGINS must be origins such as https://temporal.example, not "${wrong.join(', ')}"`);
  if (!keys || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...config, keys });
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text);
}
