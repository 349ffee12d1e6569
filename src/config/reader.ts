import type { ClientConnectConfig } from '@temporalio/envconfig';
import { type KeyRing, keysFromEnvironment } from '../codec/index.js';
import { parseDuration } from '../contract/index.js';
import { loadTemporalConfig } from '../temporal-config.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every wrong variable at once, so that nobody has to start the worker once for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

type ProxyVariables = Readonly<{ httpsProxy?: string; httpProxy?: string; noProxy?: string }>;

export type Reader = ReturnType<typeof reader>;

/** Reads variables one by one, and collects what is wrong with them in `problems`. */
export function reader(env: Environment) {
  const problems: string[] = [];

  /** An empty variable counts as not set: that is what an empty value in a deployment file means. */
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;

  function required(name: string, example: string): string {
    const value = text(name);
    if (value === undefined) problems.push(`${name} is required, for example ${example}`);
    return value ?? '';
  }

  return {
    problems,
    text,

    url(name: string): string {
      const value = required(name, 'https://demo-api.incodesmile.com');
      // The value is not repeated: credentials may stand in it.
      if (value && !isBaseUrl(value))
        problems.push(`${name} must be an http or https URL without credentials or query`);
      return value;
    },

    secret(name: string): string {
      const value = required(name, 'the key that Incode gave for this environment');
      if (value && !/^[\x21-\x7e]+$/.test(value)) problems.push(`${name} must be printable ASCII without spaces`);
      return value;
    },

    duration(name: string, fallback: string, max: string): number {
      const value = text(name) ?? fallback;
      const ms = parseDuration(value);
      if (ms === undefined) problems.push(`${name} must be a duration such as "${fallback}", not "${value}"`);
      else if (ms > Number(parseDuration(max))) problems.push(`${name} must be at most ${max}, not "${value}"`);
      return ms ?? 0;
    },

    integer(name: string, fallback: number, max: number): number {
      const value = text(name);
      if (value === undefined) return fallback;
      const number = /^\d+$/.test(value) ? Number(value) : 0;
      if (number < 1 || number > max) problems.push(`${name} must be a whole number from 1 to ${max}, not "${value}"`);
      return number;
    },

    number(name: string, { least, most }: { least: number; most: number }): number | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= least && number <= most)) {
        problems.push(`${name} must be a number from ${least} to ${most}, not "${value}"`);
      }
      return number;
    },

    oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
      const value = text(name)?.toLowerCase() ?? fallback;
      const choice = choices.find((known) => known === value);
      if (choice === undefined) problems.push(`${name} must be one of ${choices.join(', ')}, not "${value}"`);
      return choice ?? fallback;
    },

    proxy(): ProxyVariables {
      const either = (name: string) => text(name) ?? text(name.toLowerCase());
      const httpsProxy = either('HTTPS_PROXY');
      const httpProxy = either('HTTP_PROXY');
      const noProxy = either('NO_PROXY');
      for (const [name, value] of [['HTTPS_PROXY', httpsProxy] as const, ['HTTP_PROXY', httpProxy] as const]) {
        // The value is not repeated: credentials may stand in it.
        if (value && !isHttpUrl(value))
          problems.push(`${name} must be an http or https URL such as http://proxy.example:3128`);
      }
      return {
        ...(httpsProxy ? { httpsProxy } : {}),
        ...(httpProxy ? { httpProxy } : {}),
        ...(noProxy ? { noProxy } : {}),
      };
    },

    /** @returns `undefined` if it names none, or they are wrong */
    encryptionKeys(): KeyRing | undefined {
      try {
        return keysFromEnvironment(env, (problem) => process.emitWarning(problem, 'EncryptionKeyWarning'));
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
        return undefined;
      }
    },

    temporal(): ClientConnectConfig {
      const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      try {
        const config = loadTemporalConfig(Object.fromEntries(known));
        const { address } = config.connectionOptions;
        if (address !== undefined && !ADDRESS.test(address)) {
          problems.push(`TEMPORAL_ADDRESS must be a host and port such as localhost:7233, not "${address}"`);
        }
        return config;
      } catch (error) {
        problems.push(`TEMPORAL_…: ${error instanceof Error ? error.message : error}`);
        return { connectionOptions: {} };
      }
    },
  };
}

function isBaseUrl(value: string): boolean {
  if (!isHttpUrl(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return username + password + search + hash === '';
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

const ADDRESS = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
