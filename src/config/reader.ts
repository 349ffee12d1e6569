import type { ClientConnectConfig } from '@temporalio/envconfig';
import { type KeyRing, keysFromEnvironment } from '../codec/index.js';
import { excerpt } from '../contract/excerpt.js';
import { parseDuration } from '../contract/index.js';
import { HIDDEN, keepSecret, redactWhenPrinted } from '../secrets/index.js';
import { loadTemporalConfig } from '../temporal/environment.js';
import { type SecretRule, secretOf } from './secret.js';
import type { Environment, OnWarning } from './types.js';

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

/** `port` 0 is a free one. */
export type ListenAddress = Readonly<{ host: string; port: number }>;

type ProxyVariables = Readonly<{ httpsProxy?: string; httpProxy?: string; noProxy?: string }>;

export type Reader = ReturnType<typeof reader>;

/** Reads variables one by one, and collects what is wrong with them in `problems`. */
export function reader(env: Environment, onWarning?: OnWarning) {
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

    /**
     * A secret, or several: in the variable, or in the file that `…_FILE` names, which is read again when it changes.
     *
     * @returns `undefined` if there is none, or it is wrong. Its function takes a value that is refused, to look at the file at once
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

    duration(name: string, fallback: string, max: string): number {
      const value = text(name) ?? fallback;
      const ms = parseDuration(value);
      if (ms === undefined) problems.push(`${name} must be a duration such as "${fallback}", not "${excerpt(value)}"`);
      else if (ms > Number(parseDuration(max)))
        problems.push(`${name} must be at most ${max}, not "${excerpt(value)}"`);
      return ms ?? 0;
    },

    integer(name: string, fallback: number, max: number, min = 1): number {
      const value = text(name);
      if (value === undefined) return fallback;
      const number = /^\d+$/.test(value) ? Number(value) : 0;
      if (number < min || number > max) {
        problems.push(`${name} must be a whole number from ${min} to ${max}, not "${excerpt(value)}"`);
      }
      return number;
    },

    number(name: string, { least, most }: { least: number; most: number }): number | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= least && number <= most)) {
        problems.push(`${name} must be a number from ${least} to ${most}, not "${excerpt(value)}"`);
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
      const choice = choices.find((known) => known === value);
      if (choice === undefined) problems.push(`${name} must be one of ${choices.join(', ')}, not "${excerpt(value)}"`);
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
        else if (value && passwordOf(value) === undefined)
          problems.push(`${name} must have "%25" where its login has a "%"`);
      }
      const proxies = {
        ...(httpsProxy ? { httpsProxy } : {}),
        ...(httpProxy ? { httpProxy } : {}),
        ...(noProxy ? { noProxy } : {}),
      };
      for (const proxy of [httpsProxy, httpProxy]) if (proxy && isHttpUrl(proxy)) keepSecret(passwordOf(proxy) ?? '');
      return redactWhenPrinted(proxies, HIDDEN);
    },

    /** @returns `undefined` if it names none, or they are wrong */
    encryptionKeys(): KeyRing | undefined {
      try {
        return keysFromEnvironment(env, onWarning);
      } catch (error) {
        problems.push((error as Error).message);
        return undefined;
      }
    },

    temporal(): ClientConnectConfig {
      const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      try {
        const config = withoutCredentials(loadTemporalConfig(Object.fromEntries(known)));
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

/** Whoever prints it must not print the API key, or the key of a certificate. */
function withoutCredentials(config: ClientConnectConfig): ClientConnectConfig {
  const { address } = config.connectionOptions;
  redactWhenPrinted(config.connectionOptions, { address });
  return config;
}

function isBaseUrl(value: string): boolean {
  if (!isHttpUrl(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return username + password + search + hash === '';
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** @returns `undefined` if it cannot be told, for a "%" that stands for itself */
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
