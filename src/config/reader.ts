import { type KeyRing, keysFromEnvironment } from '../codec/index.js';
import { excerpt } from '../contract/excerpt.js';
import { parseDuration } from '../contract/index.js';
import { isBaseUrl, isHttpUrl } from '../incode/options.js';
import type { Proxies } from '../network/dispatcher.js';
import { HIDDEN, keepSecret, redactWhenPrinted } from '../secrets/index.js';
import { loadTemporalConfig, type TemporalConfig } from '../temporal/environment.js';
import { type SecretRule, secretOf } from './secret.js';
import type { Environment, OnWarning } from './types.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lists every invalid variable, so that you can fix all of them at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** With `port` 0 the system chooses a free port. */
export type ListenAddress = Readonly<{ host: string; port: number }>;

export type Reader = ReturnType<typeof reader>;

/** Reads single variables, and collects every error in `problems`. */
export function reader(env: Environment, onWarning?: OnWarning) {
  const problems: string[] = [];

  /** An empty variable counts as not set, because deployment files leave unused values empty. */
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
      // The value is not repeated, because it may contain credentials.
      if (value && !isBaseUrl(value))
        problems.push(`${name} must be an http or https URL without credentials or query`);
      return value;
    },

    /**
     * Reads one or more secrets from the variable, or from the file that `…_FILE` names, which is read again when it changes.
     *
     * @returns a function that returns the current value, and reads the file at once if you pass a refused value; `undefined` if nothing
     * is configured or it is invalid
     */
    secret<T>(name: string, rule: SecretRule<T>): ((refused?: unknown) => T) | undefined {
      const sources = { name, inline: text(name), file: text(`${name}_FILE`) };
      try {
        return secretOf(sources, rule, onWarning);
      } catch (error) {
        problems.push((error as Error).message);
        return undefined;
      }
    },

    duration(name: string, fallbackMs: number, max: string): number {
      const value = text(name);
      if (value === undefined) return fallbackMs;
      const ms = parseDuration(value);
      if (ms === undefined)
        problems.push(`${name} must be a duration such as "${durationText(fallbackMs)}", not "${excerpt(value)}"`);
      else if (ms > Number(parseDuration(max)))
        problems.push(`${name} must be at most ${max}, not "${excerpt(value)}"`);
      return ms ?? 0;
    },

    integer(name: string, fallback: number, max: number, min = 1): number {
      const value = text(name);
      if (value === undefined) return fallback;
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        problems.push(`${name} must be a whole number from ${min} to ${max}, not "${excerpt(value)}"`);
      }
      return number;
    },

    number(name: string, { min, max }: { min: number; max: number }): number | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        problems.push(`${name} must be a number from ${min} to ${max}, not "${excerpt(value)}"`);
      }
      return number;
    },

    listenAddress(name: string): ListenAddress | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(value) ?? [];
      const host = bracketed ?? plain;
      const port = Number(digits);
      if (host && port <= 65_535) return { host, port };
      problems.push(`${name} must be a host and port such as 127.0.0.1:9464, not "${excerpt(value)}"`);
      return undefined;
    },

    oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
      const value = text(name)?.toLowerCase() ?? fallback;
      const choice = choices.find((allowed) => allowed === value);
      if (choice === undefined) problems.push(`${name} must be one of ${choices.join(', ')}, not "${excerpt(value)}"`);
      return choice ?? fallback;
    },

    proxy(): Readonly<Proxies> {
      const either = (name: string) => text(name) ?? text(name.toLowerCase());
      const httpsProxy = either('HTTPS_PROXY');
      const httpProxy = either('HTTP_PROXY');
      const noProxy = either('NO_PROXY');
      for (const [name, value] of [['HTTPS_PROXY', httpsProxy] as const, ['HTTP_PROXY', httpProxy] as const]) {
        // The value is not repeated, because it may contain credentials.
        if (value && !isHttpUrl(value))
          problems.push(`${name} must be an http or https URL such as http://proxy.example:3128`);
        else if (value && passwordOf(value) === undefined)
          problems.push(`${name} must write a "%" in its login as "%25"`);
      }
      const proxies = {
        ...(httpsProxy ? { httpsProxy } : {}),
        ...(httpProxy ? { httpProxy } : {}),
        ...(noProxy ? { noProxy } : {}),
      };
      for (const proxy of [httpsProxy, httpProxy]) if (proxy && isHttpUrl(proxy)) keepSecret(passwordOf(proxy) ?? '');
      return redactWhenPrinted(proxies, HIDDEN);
    },

    /** @returns `undefined` if none are configured, or they are invalid */
    encryptionKeys(): KeyRing | undefined {
      try {
        return keysFromEnvironment(env, onWarning);
      } catch (error) {
        problems.push((error as Error).message);
        return undefined;
      }
    },

    temporal(): TemporalConfig {
      try {
        const config = withoutCredentials(loadTemporalConfig(env, onWarning));
        const { address } = config.connectionOptions;
        if (address !== undefined && !ADDRESS.test(address)) {
          problems.push(`TEMPORAL_ADDRESS must be a host and port such as localhost:7233, not "${excerpt(address)}"`);
        }
        return config;
      } catch (error) {
        problems.push(`TEMPORAL_…: ${(error as Error).message}`);
        return { connectionOptions: {} };
      }
    },
  };
}

/** Printing the options must not reveal the API key or a certificate's key. */
function withoutCredentials(config: TemporalConfig): TemporalConfig {
  const { address } = config.connectionOptions;
  redactWhenPrinted(config.connectionOptions, { address });
  return config;
}

/** In the largest unit that fits, such as `15m`. */
function durationText(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

const UNITS: [string, number][] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** @returns `undefined` if the login contains a "%" that is not an escape */
function passwordOf(url: string): string | undefined {
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(username);
    return decodeURIComponent(password);
  } catch {
    return undefined;
  }
}

const ADDRESS = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
