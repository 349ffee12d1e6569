import { type Command, Option } from 'commander';
import { keysFromEnvironment, requiresEncryption } from '../../codec/index.js';
import { type RecordedHistory, type Replayed, replayed } from '../../worker/replay.js';
import { workflowCode } from '../../worker/workflow-code.js';
import { queryError } from '../list/query-error.js';
import { historiesOf } from '../replay/files.js';
import { readable } from '../replay/keys.js';
import { REPLAYED_STATUSES, type SampleOptions, sampledHistories } from '../replay/sample.js';
import { CliError, EXIT } from '../shared/exit.js';
import { countOption, type TemporalOptions, withClient, withServerOptions } from '../shared/options.js';
import { printable, printJson, startProgress } from '../shared/output.js';

interface ReplayOptions extends Omit<TemporalOptions, 'taskQueue'>, SampleOptions {
  file?: string;
  json: boolean;
}

export function define(command: Command): void {
  withServerOptions(command)
    .addOption(
      new Option('--status <status>', 'only open or only closed workflows').choices(REPLAYED_STATUSES).default('all'),
    )
    .option('--query <query>', 'only workflows that this Temporal query also finds')
    .option('--limit <count>', 'maximum number of histories', countOption('--limit'), 100)
    .option('--file <path>', 'a history as JSON, or a directory of them, instead of the namespace')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Replays histories with the workflow code of this installation and checks that it makes the recorded decisions. From a namespace it
takes sessions and batch shards of every stage and age. It only reads and does not call Incode. If the workers encrypt, set the same
keys in the environment. Exits with 0 if all histories replay, and with 1 if one does not.

Examples:
  $ temporal-incode replay --status open --limit 500
  $ temporal-incode replay --query "IncodeStage = 'inReview'" --json
  $ temporal workflow show --workflow-id incode-onboarding/5f3a \\
      --output json > history.json
  $ temporal-incode replay --file history.json`,
    )
    .action(replay);
}

async function replay(options: ReplayOptions): Promise<void> {
  const { file, json } = options;
  const found =
    file === undefined
      ? await withClient(options, async (client) => {
          try {
            return await replayAll(sampledHistories(client.temporal, options));
          } catch (error) {
            throw queryError(client, error);
          }
        })
      : await replayAll(historiesOf(file));
  const failures = found.filter(({ reason }) => reason !== null);
  const types = Object.fromEntries(
    [...new Set(found.map(({ type }) => type))].map((type) => [type, countOf(found, type)]),
  );
  if (json) printJson({ ok: failures.length === 0, replayed: found.length, types, failures });
  else print(found.length, types, failures);
  if (failures.length > 0) process.exitCode = EXIT.failed;
}

function countOf(found: Replayed[], type: string): number {
  return found.filter((one) => one.type === type).length;
}

/** Shows progress with few lines in a log. */
const REPORT_EVERY = 10;

async function replayAll(histories: AsyncIterable<RecordedHistory>): Promise<Replayed[]> {
  const progress = startProgress('Replaying');
  const found: Replayed[] = [];
  try {
    const { keys, requireEncryption } = encryption();
    for await (const one of replayed(workflowCode(keys, { requireEncryption }), readable(histories, keys))) {
      found.push(one);
      if (found.length % REPORT_EVERY === 0) progress.show(`Replaying: ${found.length}`);
    }
    return found;
  } finally {
    progress.stop();
  }
}

function encryption() {
  try {
    return { keys: keysFromEnvironment() ?? null, requireEncryption: requiresEncryption() };
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}

function print(count: number, types: Record<string, number>, failures: Replayed[]): void {
  if (failures.length === 0) {
    const kinds = Object.entries(types).map(([type, number]) => `${number} ${printable(type)}`);
    const all = `All ${count} replay with this version: ${kinds.join(', ')}.\n`;
    process.stdout.write(count === 0 ? 'No history to replay.\n' : all);
    return;
  }
  for (const { workflowId, runId, type, reason } of failures) {
    process.stdout.write(
      `${printable(workflowId)}  ${runId ?? ''}  ${printable(type)}\n  ${printable(reason ?? '')}\n`,
    );
  }
  process.stdout.write(`
${failures.length} of ${count} do not replay with this version. Workers with this version could not continue these workflows and would
log "nondeterminism error". Either keep the old path in the code behind "patched", or give the workers a version, so that open
workflows stay with the old one: docs/deploys.md
`);
}
