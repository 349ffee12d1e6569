import type { KeyRing } from '../codec/index.js';
import { excerpt } from '../contract/excerpt.js';
import { ConfigError, reader } from './reader.js';
import type { Environment, OnWarning } from './types.js';

/** The codec server's configuration. `docs/encryption.md` explains each variable. */
export interface CodecServerConfig {
  readonly keys: KeyRing;
  /** `CODEC_SERVER_HOST`. @default "127.0.0.1": the operator decides who may reach it. */
  readonly host: string;
  /** `CODEC_SERVER_PORT`. @default 8089 */
  readonly port: number;
  /** `CODEC_SERVER_TOKENS` or `CODEC_SERVER_TOKENS_FILE`: the tokens that are valid now, at least one. */
  readonly tokens: () => readonly string[];
  /** `CODEC_SERVER_ORIGINS`. @default none: only programs may call it, not web pages */
  readonly origins: readonly string[];
}

/** @throws ConfigError that names every invalid variable and repeats no secret */
export function readCodecServerConfig(env: Environment = process.env, onWarning?: OnWarning): CodecServerConfig {
  const read = reader(env, onWarning);
  const { problems } = read;
  const keys = read.encryptionKeys();
  if (!keys && problems.length === 0) {
    problems.push('TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE or TEMPORAL_INCODE_ENCRYPTION_KEYS is required');
  }
  const config = {
    host: read.text('CODEC_SERVER_HOST') ?? '127.0.0.1',
    port: read.integer('CODEC_SERVER_PORT', 8_089, 65_535),
    origins: listOf(read.text('CODEC_SERVER_ORIGINS')),
  };
  const before = problems.length;
  const tokens = read.secret('CODEC_SERVER_TOKENS', {
    separator: ',',
    valid: /^[\x21-\x7e]{16,}$/,
    rule: 'must each have at least 16 characters of printable ASCII without spaces',
    as: (values): readonly string[] => values,
  });
  if (!tokens && problems.length === before) {
    problems.push(
      'CODEC_SERVER_TOKENS or CODEC_SERVER_TOKENS_FILE is required: a client with one of the tokens may read every payload',
    );
  }
  const wrong = config.origins.filter((origin) => !isOrigin(origin));
  if (wrong.length > 0)
    problems.push(
      `CODEC_SERVER_ORIGINS must be origins such as https://temporal.example, not "${excerpt(wrong.join(', '))}"`,
    );
  if (!keys || !tokens || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...config, keys, tokens });
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
