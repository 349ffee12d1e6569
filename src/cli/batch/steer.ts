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
import { checkBatchId } from '../../contract/index.js';
import { CliError, EXIT } from '../shared/exit.js';
import { withClient } from '../shared/options.js';
import { printFacts, printJson } from '../shared/output.js';
import { checkedList } from './list.js';
import type { BatchCommandOptions } from './options.js';
import { formatCount } from './progress-bar.js';
import { openSource } from './source.js';

export type Steering = 'status' | 'stop' | 'pause' | 'unpause';

/** Tells a batch that runs what to do, or asks where it stands. Needs its id, or the file that it follows from. */
export async function steer(what: Steering, file: string | undefined, options: BatchCommandOptions): Promise<void> {
  const batchId = options.batchId ?? (await idOf(what, file, options));
  try {
    checkBatchId(batchId);
    await withClient(options, (client) => DOES[what](client, batchId, options));
  } catch (error) {
    if (error instanceof InvalidInputError) throw new CliError(error.message);
    if (error instanceof BatchNotFoundError) throw new CliError(error.message, EXIT.notFound);
    throw error;
  }
}

async function idOf(what: Steering, file: string | undefined, { format }: BatchCommandOptions): Promise<string> {
  if (file === undefined) throw new CliError(`--${what}: which batch? Give --batch-id, or the file`);
  // Ctrl-C ends it: nothing has been done yet.
  const { signal } = new AbortController();
  const source = await openSource(file, signal);
  try {
    return (await checkedList(source, format, signal)).batchId;
  } finally {
    await source.close();
  }
}

type Act = (client: ConnectedOnboardingClient, batchId: string, options: BatchCommandOptions) => Promise<void>;

const DOES: Record<Steering, Act> = {
  async status(client, batchId, { json }) {
    const status = await batchProgress(client, batchId);
    if (json) printJson(status);
    else printStatus(status);
  },

  async stop(client, batchId, { json }) {
    const ending = await stopBatch(client, batchId);
    if (json) printJson({ batchId, stopped: ending === 0, shardsEnding: ending });
    else if (ending === 0) {
      process.stdout.write(`Batch ${batchId} is stopped. --retry-failed goes on with what is left.\n`);
    }
    if (ending > 0) {
      const message = `Batch ${batchId} was told to stop; ${ending} shards still have calls under way. Is a worker running?`;
      throw new CliError(message, EXIT.pending);
    }
  },

  async pause(client, batchId, { json }) {
    const shards = await pauseBatch(client, batchId);
    if (json) printJson({ batchId, shards, paused: true });
    else process.stdout.write(`Batch ${batchId} is paused: ${shards} running shards. --unpause goes on.\n`);
  },

  async unpause(client, batchId, { json }) {
    const shards = await resumeBatch(client, batchId);
    if (json) printJson({ batchId, shards, paused: false });
    else process.stdout.write(`Batch ${batchId} goes on: ${shards} running shards.\n`);
  },
};

function printStatus({ batchId, shards, outcomes, ...counts }: BatchStatus): void {
  const { total, done, failed, waiting, unknown, paused, heldUpBy } = counts;
  printFacts({
    batch: batchId,
    'handed over': formatCount(total),
    done: formatCount(done),
    ...Object.fromEntries(Object.entries(outcomes).map(([outcome, count]) => [`  ${outcome}`, formatCount(count)])),
    failed: failed > 0 ? formatCount(failed) : null,
    waiting: waiting > 0 ? formatCount(waiting) : null,
    unknown: unknown > 0 ? `${formatCount(unknown)}: no worker answers, or their shards were ended` : null,
    shards: `${shards.running} running, ${shards.completed} completed, ${shards.ended} ended without results`,
    paused: paused ? 'yes' : null,
    'held up by': heldUpBy,
  });
}
