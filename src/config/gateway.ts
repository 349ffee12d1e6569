import { excerpt } from '../contract/excerpt.js';
import { GATEWAY_DEFAULTS, type GatewayToken } from '../contract/gateway-settings.js';
import { isLoopback } from '../network/loopback.js';
import { type SecretFile, secretFile } from '../secrets/file.js';
import { gatewayTokenFile } from './gateway-tokens.js';
import { ConfigError, type ListenAddress, LOG_LEVELS, type LogLevel, type Reader, reader } from './reader.js';
import type { Environment, OnWarning } from './types.js';

/** The gateway's configuration. `docs/gateway.md` explains each variable. */
export interface GatewayConfig {
  /** `GATEWAY_HOST`. @default "127.0.0.1": the operator decides who may reach it. */
  readonly host: string;
  /** `GATEWAY_PORT`. @default 8090 */
  readonly port: number;
  /** `GATEWAY_TOKENS_FILE`. @default none: anybody on this machine may do everything */
  readonly tokens: (() => readonly GatewayToken[]) | null;
  /** `GATEWAY_TLS_CERT_FILE` and `GATEWAY_TLS_KEY_FILE`. @default plain HTTP */
  readonly tls: (() => GatewayTls) | null;
  /** `GATEWAY_REQUESTS_PER_SECOND`, of each token */
  readonly requestsPerSecond: number;
  /** `GATEWAY_MAX_CONNECTIONS` */
  readonly maxConnections: number;
  /** `GATEWAY_METRICS_ADDRESS`. @default not served */
  readonly metricsAddress: ListenAddress | null;
  /** `LOG_LEVEL`. @default "info" */
  readonly logLevel: LogLevel;
}

/** The current content of the files. */
export interface GatewayTls {
  readonly cert: string;
  readonly key: string;
}

/**
 * @param onWarning called when a file becomes invalid while the process runs. @default a process warning, `SecretFileWarning`
 * @throws ConfigError that names every invalid variable and repeats no secret
 */
export function readGatewayConfig(env: Environment = process.env, onWarning?: OnWarning): GatewayConfig {
  const read = reader(env, onWarning);
  const config: GatewayConfig = {
    host: read.text('GATEWAY_HOST') ?? '127.0.0.1',
    port: read.integer('GATEWAY_PORT', 8_090, 65_535, 0),
    tokens: tokensOf(read, onWarning),
    tls: tlsOf(read, onWarning),
    requestsPerSecond: read.integer('GATEWAY_REQUESTS_PER_SECOND', GATEWAY_DEFAULTS.requestsPerSecond, 10_000),
    maxConnections: read.integer('GATEWAY_MAX_CONNECTIONS', GATEWAY_DEFAULTS.maxConnections, 100_000),
    metricsAddress: read.listenAddress('GATEWAY_METRICS_ADDRESS') ?? null,
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  const plaintext = read.oneOf('GATEWAY_ALLOW_PLAINTEXT', ['true', 'false'], 'false') === 'true';
  checkProtected(read, config.host, plaintext);
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(config);
}

/** Whoever reaches the gateway without a token could finish sessions, and plain HTTP would show tokens to the network. */
function checkProtected({ text, problems }: Reader, host: string, allowsPlaintext: boolean): void {
  if (isLoopback(host.includes(':') ? `[${host}]` : host)) return;
  const where = `GATEWAY_HOST=${excerpt(host)} is reachable from other machines`;
  if (text('GATEWAY_TOKENS_FILE') === undefined) problems.push(`GATEWAY_TOKENS_FILE is required: ${where}`);
  if (text('GATEWAY_TLS_CERT_FILE') === undefined && !allowsPlaintext) {
    problems.push(
      `GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE are required: ${where}. If a proxy before it ends TLS, set GATEWAY_ALLOW_PLAINTEXT=true`,
    );
  }
}

function tokensOf({ text, problems }: Reader, onWarning: OnWarning | undefined): GatewayConfig['tokens'] {
  const path = text('GATEWAY_TOKENS_FILE');
  if (path === undefined) return null;
  try {
    const file = gatewayTokenFile(path, onWarning);
    return () => file.value();
  } catch (error) {
    problems.push((error as Error).message);
    return null;
  }
}

function tlsOf({ text, problems }: Reader, onWarning: OnWarning | undefined): GatewayConfig['tls'] {
  const certPath = text('GATEWAY_TLS_CERT_FILE');
  const keyPath = text('GATEWAY_TLS_KEY_FILE');
  const cert = certPath === undefined ? null : pemFile('GATEWAY_TLS_CERT_FILE', certPath, problems, onWarning);
  const key = keyPath === undefined ? null : pemFile('GATEWAY_TLS_KEY_FILE', keyPath, problems, onWarning);
  if ((certPath === undefined) !== (keyPath === undefined)) {
    problems.push('GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE belong together');
  }
  if (cert === null || key === null) return null;
  return () => ({ cert: cert.value(), key: key.value() });
}

/** @returns `null` if the file cannot be used, which is then one of the problems */
function pemFile(
  name: string,
  path: string,
  problems: string[],
  onWarning: OnWarning | undefined,
): SecretFile<string> | null {
  try {
    return secretFile(path, {
      parse: (content) => {
        if (!content.includes('-----BEGIN ')) throw new Error(`${name} must name a file in PEM format`);
        return content;
      },
      unreadable: (code) => new Error(`${name} names a file that cannot be read (${code})`),
      onWarning,
    });
  } catch (error) {
    problems.push((error as Error).message);
    return null;
  }
}
