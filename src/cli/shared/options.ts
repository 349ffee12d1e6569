import type { Connection } from '@temporalio/client';
import { type Command, Option } from 'commander';
import { type ConnectOptions, connectTemporal } from '../../client/connect.js';
import {
  type ConnectedOnboardingClient,
  connectOnboardingClient,
  EncryptionKeyError,
  NamespaceNotSetUpError,
  TemporalConfigurationError,
  TemporalRequestError,
  TemporalUnavailableError,
} from '../../client/index.js';
import { grpcError } from '../../client/temporal-failure.js';
import { parseDuration, TASK_QUEUE } from '../../contract/index.js';
import { CliError, EXIT } from './exit.js';
import { quoted } from './program.js';

export interface TemporalOptions {
  address?: string;
  namespace?: string;
  taskQueue?: string;
}

/** The options of every command that talks to Temporal. */
export function withTemporalOptions(command: Command, taskQueue = TASK_QUEUE): Command {
  return withServerOptions(command).option('--task-queue <name>', `task queue of the workers (default: ${taskQueue})`);
}

export function withServerOptions(command: Command): Command {
  return command
    .option('--address <host:port>', 'Temporal server (default: TEMPORAL_ADDRESS, the profile file, or localhost:7233)')
    .option('--namespace <name>', 'Temporal namespace (default: TEMPORAL_NAMESPACE, the profile file, or default)');
}

/** @returns the options that name the server, for a command to paste; empty if the environment names it */
export function serverOptions({
  address,
  namespace,
  taskQueue,
}: { [option in keyof TemporalOptions]?: string | undefined }): string {
  const options = { '--address': address, '--namespace': namespace, '--task-queue': taskQueue };
  return Object.entries(options)
    .map(([option, value]) => (value ? ` ${option} ${quoted(value)}` : ''))
    .join('');
}

/** @param byDefault a duration, shown unchanged in the help */
export function timeoutOption(what: string, byDefault: string): Option {
  const parse = durationOption('--timeout');
  return new Option('--timeout <duration>', what).argParser(parse).default(parse(byDefault), byDefault);
}

export async function withClient<T>(
  options: TemporalOptions & Pick<ConnectOptions, 'onWarning'>,
  use: (client: ConnectedOnboardingClient) => Promise<T>,
): Promise<T> {
  const { address, namespace, taskQueue, onWarning } = options;
  const connectOptions = {
    ...(address ? { address } : {}),
    ...(namespace ? { namespace } : {}),
    ...(taskQueue ? { taskQueue } : {}),
    ...(onWarning ? { onWarning } : {}),
  };
  return closing(await reached(() => connectOnboardingClient(connectOptions)), use);
}

/** Connects to the server's own services, for commands that concern no session. */
export async function withTemporal<T>(
  options: TemporalOptions,
  use: (temporal: { connection: Connection; namespace: string }) => Promise<T>,
): Promise<T> {
  const { address, namespace } = options;
  const target = { ...(address ? { address } : {}), ...(namespace ? { namespace } : {}) };
  const temporal = await reached(() => connectTemporal(target));
  return closing({ ...temporal, close: () => temporal.connection.close() }, use);
}

async function closing<C extends { close(): Promise<void> }, T>(open: C, use: (open: C) => Promise<T>): Promise<T> {
  try {
    return await use(open);
  } catch (error) {
    throw temporalProblem(error);
  } finally {
    await open.close();
  }
}

async function reached<T>(connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    throw temporalProblem(error);
  }
}

/** Errors that remain until a setting changes. */
const WRONG_SETTINGS = [
  EncryptionKeyError,
  NamespaceNotSetUpError,
  TemporalConfigurationError,
  TemporalUnavailableError,
] as const;

/** Converts Temporal's errors into readable messages. */
function temporalProblem(error: unknown): unknown {
  if (error instanceof TemporalUnavailableError && error.retryable) {
    return new CliError(`${error.message}\nTo try things out without a server: temporal-incode dev`, EXIT.failed);
  }
  if (error instanceof TemporalRequestError) return new CliError(error.message, EXIT.failed);
  if (WRONG_SETTINGS.some((kind) => error instanceof kind)) return new CliError((error as Error).message, EXIT.usage);
  // From a server API that a command calls directly.
  const refusal = grpcError(error);
  return refusal ? new CliError(`Temporal: ${refusal.details}`, EXIT.failed) : error;
}

/** A parser for durations such as `30s`. */
export function durationOption(name: string): (value: string) => number {
  return (value) => {
    const ms = parseDuration(value);
    if (ms === undefined) throw new CliError(`${name} must be a duration such as 30s or "5 minutes", not "${value}"`);
    return ms;
  };
}

/** A parser for counts. */
export function countOption(name: string): (value: string) => number {
  return (value) => {
    const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    if (count < 1) throw new CliError(`${name} must be a whole number from 1, not "${value}"`);
    return count;
  };
}

/** A parser for ports. 0 means any free port. */
export function portOption(name: string): (value: string) => number {
  return (value) => {
    const port = /^\d{1,5}$/.test(value) ? Number(value) : -1;
    if (port < 0 || port > 65_535) throw new CliError(`${name} must be a port from 0 to 65535, not "${value}"`);
    return port;
  };
}
