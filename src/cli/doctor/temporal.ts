import type { Connection } from '@temporalio/client';
import { checkPlaintext, keysFromEnvironment, PlaintextError, requiresEncryption } from '../../codec/index.js';
import { cloudAttributesCommand, cloudRetentionCommand, isCloudConnection } from '../../temporal/cloud.js';
import { searchAttributesOf } from '../../worker/search-attributes.js';
import { DAY_MS, days, MINIMUM_RETENTION_MS, retentionOf } from '../shared/namespace.js';
import { serverOptions, type TemporalOptions, withTemporal } from '../shared/options.js';
import { type Check, check } from './check.js';
import { deploymentChecks } from './deployment.js';
import { imageChecks } from './images.js';
import { pollersOf, QUEUE_TYPES } from './pollers.js';

export interface Queue {
  name: string;
  /** The environment variable that names it, if one does. */
  variable: string | null;
}

/** The task queues that are checked. */
export interface Queues {
  sessions: Queue;
  batches: Queue;
}

const DEPENDENT = ['encryption', 'namespace', 'search attributes', 'retention', 'workers', 'bulk workers'] as const;

/** A server answers within milliseconds, from another continent within a second. */
const TIMEOUT_MS = 10_000;

export async function temporalChecks(options: TemporalOptions, queues: Queues): Promise<Check[]> {
  try {
    return await withTemporal(options, ({ connection, namespace }) =>
      connection.withDeadline(Date.now() + TIMEOUT_MS, () => all(connection, namespace, queues, setupCommand(options))),
    );
  } catch (error) {
    const skipped = { status: 'skipped', message: 'needs the server' } as const;
    const [message = '', todo] = (error as Error).message.split('\n');
    const server: Check = { name: 'server', status: 'failed', message, ...(todo ? { todo } : {}) };
    return [server, ...DEPENDENT.map((name) => ({ name, ...skipped }))];
  }
}

/** Without the task queue, which `setup` does not need. */
function setupCommand({ address, namespace }: TemporalOptions): string {
  return `temporal-incode setup${serverOptions({ address, namespace })}`;
}

async function all(
  connection: Connection,
  namespace: string,
  { sessions, batches }: Queues,
  setup: string,
): Promise<Check[]> {
  const retained = retentionOf(connection, namespace);
  const versions = deploymentChecks(connection, namespace, { version: sessions.name, 'bulk version': batches.name })
    // The worker checks report the same failure.
    .catch((): Check[] => []);
  const images = imageChecks(connection, namespace, sessions.name);
  const checks = await Promise.all([
    check('server', () => server(connection)),
    check('encryption', async () => encryption(connection.options.address)),
    check('namespace', async () => {
      await retained;
      return { status: 'ok', message: namespace };
    }),
    check('search attributes', () => searchAttributes(connection, namespace, setup)),
    check('retention', async () => retention(await retained, retentionCommand(connection, namespace, setup))),
    check('workers', () => workers(connection, namespace, sessions)),
    check('bulk workers', () => workers(connection, namespace, batches)),
  ]);
  return [...checks, ...(await images), ...(await versions)];
}

type Found = Omit<Check, 'name'>;

async function server(connection: Connection): Promise<Found> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const kind = isCloudConnection(connection) ? ', Temporal Cloud' : '';
  return { status: 'ok', message: `${connection.options.address}${kind}, version ${serverVersion}` };
}

/** A warning only, because the doctor itself needs no keys. Workers and clients would refuse to start. */
function encryption(address: string | undefined): Found {
  if (keysFromEnvironment()) {
    return { status: 'ok', message: requiresEncryption() ? 'keys are set here, and required' : 'keys are set here' };
  }
  try {
    checkPlaintext(address ?? '');
  } catch (error) {
    if (!(error instanceof PlaintextError)) throw error;
    const why = requiresEncryption() ? 'encryption is required' : 'the server runs on another machine';
    const message = `${why} and no keys are set here: workers and clients would refuse to start`;
    return {
      status: 'warning',
      message,
      todo: "Set keys (docs/encryption.md), or run the doctor in a worker's environment",
    };
  }
  return {
    status: 'ok',
    message: 'off: allowed, because the server is on this machine or TEMPORAL_INCODE_ALLOW_PLAINTEXT is set',
  };
}

async function searchAttributes(connection: Connection, namespace: string, setup: string): Promise<Found> {
  const { present, missing, wrong } = await searchAttributesOf(connection, namespace);
  if (wrong.length > 0) {
    const message = `${wrong.join(', ')}: another type than Keyword`;
    return { status: 'failed', message, todo: `${setup} prints how to remove them` };
  }
  if (missing.length > 0) {
    const todo = isCloudConnection(connection) ? cloudAttributesCommand(namespace, missing) : setup;
    return { status: 'failed', message: `${missing.join(', ')} missing`, todo };
  }
  return { status: 'ok', message: present.join(', ') };
}

const ADVISED_RETENTION_DAYS = 30;

function retentionCommand(connection: Connection, namespace: string, setup: string): string {
  return isCloudConnection(connection)
    ? cloudRetentionCommand(namespace, ADVISED_RETENTION_DAYS * DAY_MS)
    : `${setup} --retention ${ADVISED_RETENTION_DAYS}d`;
}

function retention(retentionMs: number, todo: string): Found {
  if (retentionMs >= MINIMUM_RETENTION_MS) return { status: 'ok', message: days(retentionMs) };
  return {
    status: 'warning',
    message: `${days(retentionMs)}: results and histories are gone after that time`,
    todo,
  };
}

/** Enough for a reader. */
const MAX_NAMED = 5;

async function workers(connection: Connection, namespace: string, { name, variable }: Queue): Promise<Found> {
  const shown = variable === null ? name : `${name} (${variable})`;
  const seen = new Map<string, number>();
  for (const [what, type] of Object.entries(QUEUE_TYPES)) {
    const { pollers } = await pollersOf(connection, namespace, name, type);
    if (pollers.length === 0) {
      const message = `${shown}: no worker has polled for ${what} within the last two minutes`;
      return { status: 'failed', message, todo: 'Start a worker: temporal-incode worker' };
    }
    for (const { identity, agoMs } of pollers) seen.set(identity, Math.min(agoMs, seen.get(identity) ?? agoMs));
  }
  const named = [...seen].slice(0, MAX_NAMED).map(([identity, ms]) => `${identity} (${Math.round(ms / 1_000)} s ago)`);
  const more = seen.size > named.length ? ` and ${seen.size - named.length} more` : '';
  return { status: 'ok', message: `${shown}: ${seen.size}, last seen ${named.join(', ')}${more}` };
}
