import { listBegunPeople, listRunningShards } from '../../client/batch/list.js';
import { cancelBegunPeople } from '../../client/batch/steer.js';
import {
  BatchNotFoundError,
  type BatchStatus,
  batchProgress,
  type ConnectedOnboardingClient,
  InvalidInputError,
  pauseBatch,
  resumeBatch,
  stopBatch,
} from '../../client/index.js';
import { counted, formatCount } from '../../contract/counted.js';
import { checkBatchId } from '../../contract/index.js';
import { CliError, EXIT } from '../shared/exit.js';
import { serverOptions, withClient } from '../shared/options.js';
import { printFacts, printJson } from '../shared/output.js';
import { asTyped, quoted } from '../shared/program.js';
import type { ListCommandOptions } from './options.js';
import { openSource, type Source } from './source.js';

export type Steering = 'status' | 'stop' | 'pause' | 'unpause';

interface ListId {
  batchId: string;
  /** What to do if no such batch is known. */
  ifUnknown?: string;
}

/** Reads a list to find out the id of its batch. */
type IdOfList = (source: Source, file: string, signal: AbortSignal) => Promise<ListId>;

/** @returns what the options ask to be done with a batch that exists. @throws CliError for several */
export function steeringOf(options: ListCommandOptions): Steering | undefined {
  const steering = (['status', 'stop', 'pause', 'unpause'] as const).filter((name) => options[name]);
  if (options.cancelBegun && !options.stop) throw new CliError('--cancel-begun goes with --stop');
  if (steering.length > 1) throw new CliError(`Use only one of ${steering.map((name) => `--${name}`).join(', ')}`);
  if (options.out === '-' && options.json) throw new CliError('--out - and --json would both write to stdout');
  return steering[0];
}

/** Controls a running batch or prints its state. Needs the batch id, or the file that it is derived from. */
export async function steer(
  what: Steering,
  file: string | undefined,
  options: ListCommandOptions,
  idOfList: IdOfList,
): Promise<void> {
  const id = options.batchId === undefined ? await idOf(what, file, idOfList) : { batchId: options.batchId };
  const { batchId, ifUnknown }: ListId = id;
  try {
    checkBatchId(batchId);
    await withClient(options, (client) => ACTIONS[what](client, batchId, options));
  } catch (error) {
    if (error instanceof InvalidInputError) throw new CliError(error.message);
    if (error instanceof BatchNotFoundError) {
      throw new CliError(ifUnknown ? `${error.message} ${ifUnknown}` : error.message, EXIT.notFound);
    }
    throw error;
  }
}

async function idOf(what: Steering, file: string | undefined, idOfList: IdOfList): Promise<ListId> {
  if (file === undefined) throw new CliError(`--${what} needs a batch: add --batch-id, or the file`);
  // Never aborted: Ctrl-C simply ends the process, because nothing has started yet.
  const { signal } = new AbortController();
  const source = await openSource(file, signal);
  try {
    return await idOfList(source, file, signal);
  } finally {
    await source.close();
  }
}

type Action = (client: ConnectedOnboardingClient, batchId: string, options: ListCommandOptions) => Promise<void>;

const ACTIONS: Record<Steering, Action> = {
  async status(client, batchId, { json }) {
    const status = await batchProgress(client, batchId);
    if (json) printJson(status);
    else printStatus(status);
  },

  async stop(client, batchId, options) {
    const running = await listRunningShards(client.temporal, batchId);
    const ending = await stopBatch(client, batchId);
    if (ending > 0) {
      if (options.json) printJson({ batchId, stopped: false, shardsEnding: ending });
      const message = `Batch ${batchId} is stopping: ${counted(ending, 'shard still has', 'shards still have')} calls in flight. Check that a worker is running.`;
      throw new CliError(message, EXIT.pending);
    }
    if (options.cancelBegun) await cancelBegun(client, batchId, options);
    else await sayWhoGoesOn(client, batchId, { ...options, wasRunning: running.length > 0 });
  },

  async pause(client, batchId, { json }) {
    const shards = await pauseBatch(client, batchId);
    if (json) printJson({ batchId, shards, paused: true });
    else if (shards === 0) process.stdout.write(nothingTo('pause', batchId));
    else
      process.stdout.write(
        `Batch ${batchId} is paused: ${counted(shards, 'running shard')}. --unpause continues it.\n`,
      );
  },

  async unpause(client, batchId, { json }) {
    const shards = await resumeBatch(client, batchId);
    if (json) printJson({ batchId, shards, paused: false });
    else if (shards === 0) process.stdout.write(nothingTo('continue', batchId));
    else process.stdout.write(`Batch ${batchId} continues: ${counted(shards, 'running shard')}.\n`);
  },
};

function nothingTo(what: string, batchId: string): string {
  return `Batch ${batchId} has no running shards, so there was nothing to ${what}. --status shows how it ended.\n`;
}

/** Each person has a workflow of their own, which ends with the batch only on request. */
async function sayWhoGoesOn(
  client: ConnectedOnboardingClient,
  batchId: string,
  { wasRunning, ...options }: ListCommandOptions & { wasRunning: boolean },
): Promise<void> {
  const { length: peopleGoingOn } = await listBegunPeople(client.temporal, batchId);
  if (options.json) {
    printJson({ batchId, stopped: true, shardsEnding: 0, ...(peopleGoingOn > 0 ? { peopleGoingOn } : {}) });
  } else if (peopleGoingOn === 0 && !wasRunning) {
    process.stdout.write(nothingTo('stop', batchId));
  } else if (peopleGoingOn === 0) {
    process.stdout.write(`Batch ${batchId} is stopped. --retry-failed continues with the rest.\n`);
  } else {
    const command = `temporal-incode list --people --status open --batch ${quoted(batchId)}${serverOptions(options)}`;
    const lines = [
      `Batch ${batchId} is stopped. ${counted(peopleGoingOn, 'person has begun and goes on', 'people have begun and go on')}: ${command}`,
      '--stop --cancel-begun cancels them. --retry-failed collects their results and continues with the rest.',
    ];
    process.stdout.write(`${asTyped(lines.join('\n'))}\n`);
  }
}

async function cancelBegun(
  client: ConnectedOnboardingClient,
  batchId: string,
  { json }: ListCommandOptions,
): Promise<void> {
  const { cancelled, ending } = await cancelBegunPeople(client.temporal, batchId);
  if (json) printJson({ batchId, stopped: true, shardsEnding: 0, peopleCancelled: cancelled, peopleEnding: ending });
  else if (ending === 0) {
    process.stdout.write(
      `Batch ${batchId} is stopped, and ${counted(cancelled, 'person who had begun is', 'people who had begun are')} cancelled. ` +
        'Their sessions remain at Incode, unfinished. --retry-failed starts them again, with other sessions.\n',
    );
  }
  if (ending > 0) {
    const message = `Batch ${batchId} is stopped, but ${counted(ending, 'person is', 'people are')} still ending. Check that a worker is running.`;
    throw new CliError(message, EXIT.pending);
  }
}

function printStatus({ batchId, shards, outcomes, ...counts }: BatchStatus): void {
  const { total, done, failed, stopped, waiting, unknown, paused, heldUpBy } = counts;
  printFacts({
    batch: batchId,
    started: formatCount(total),
    done: formatCount(done),
    ...Object.fromEntries(Object.entries(outcomes).map(([outcome, count]) => [`  ${outcome}`, formatCount(count)])),
    failed: failed > 0 ? formatCount(failed) : null,
    stopped: stopped > 0 ? formatCount(stopped) : null,
    waiting: waiting > 0 ? formatCount(waiting) : null,
    unknown: unknown > 0 ? `${formatCount(unknown)}: no worker answers, or their shards were ended` : null,
    shards: `${shards.running} running, ${shards.completed} completed, ${shards.ended} ended without results`,
    paused: paused ? 'yes' : null,
    'held up by': heldUpBy,
  });
}
