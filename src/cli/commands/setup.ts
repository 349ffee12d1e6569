import type { Connection } from '@temporalio/client';
import type { Command } from 'commander';
import { cloudAttributesCommand, cloudRetentionCommand, isCloudConnection } from '../../temporal/cloud.js';
import { msToTs } from '../../temporal/sdk-internals.js';
import { isRefused, KEYWORD, searchAttributesOf } from '../../worker/search-attributes.js';
import { confirm } from '../shared/confirm.js';
import { CliError, EXIT } from '../shared/exit.js';
import { checkRetention, DAY_MS, days, MINIMUM_RETENTION_MS, retentionOf } from '../shared/namespace.js';
import {
  durationOption,
  serverOptions,
  type TemporalOptions,
  withServerOptions,
  withTemporal,
} from '../shared/options.js';
import { printable, printFacts, printJson, printNotice } from '../shared/output.js';

interface SetupOptions extends TemporalOptions {
  yes: boolean;
  retention?: number;
  json: boolean;
}

export function define(command: Command): void {
  withServerOptions(command)
    .option(
      '--retention <duration>',
      'set how long closed workflows are kept, such as 30d',
      durationOption('--retention'),
    )
    .option('--yes', 'lower the retention without confirmation', false)
    .option('--json', 'print what was done as JSON', false)
    .addHelpText(
      'after',
      `
Registers the search attributes that workers need. Run it once per namespace; running it again changes nothing. It changes the
retention only with --retention. It warns about less than 7 days, because results and histories are gone after that time.

On Temporal Cloud, tcld changes these settings. If the server refuses a change, the command to run instead is printed.

Examples:
  $ temporal-incode setup
  $ temporal-incode setup --namespace onboarding --retention 30d`,
    )
    .action(setup);
}

interface Done {
  namespace: string;
  registered: string[];
  present: string[];
  retentionDays: number;
  /** Commands that are left for the user to run. */
  todo: string[];
}

async function setup(options: SetupOptions): Promise<void> {
  const { retention, json, address } = options;
  await withTemporal(options, async ({ connection, namespace }) => {
    if (retention !== undefined) checkRetention(retention, connection);
    const retentionBefore = await retentionOf(connection, namespace);
    if (retention !== undefined && retention < retentionBefore)
      await checkLowering(options, retentionBefore, retention);
    const { present, missing, wrong } = await searchAttributesOf(connection, namespace);
    if (wrong.length > 0) {
      const how = wrong.map((name) => `--name ${name}`).join(' ');
      throw new CliError(
        `Namespace ${namespace} has ${wrong.join(', ')} with another type than Keyword, and Temporal cannot change types. If nothing ` +
          `uses them, remove them:\n  temporal operator search-attribute remove ${how}${serverOptions({ address, namespace })}`,
        EXIT.failed,
      );
    }
    const todo: string[] = [];
    const target: Target = { connection, namespace, server: serverOptions({ address, namespace }) };
    const registered = await register(target, missing, todo);
    const retentionMs = await retain(target, { before: retentionBefore, wanted: retention }, todo);
    const done = { namespace, registered, present, retentionDays: retentionMs / DAY_MS, todo };
    if (json) printJson(done);
    else print(done, retentionMs);
    const isDone = registered.length === missing.length && (retention === undefined || retentionMs === retention);
    if (!isDone) process.exitCode = EXIT.failed;
  });
}

/** Asks first, because histories older than the new retention are deleted for good. */
async function checkLowering({ yes }: SetupOptions, before: number, wanted: number): Promise<void> {
  if (yes) return;
  const what = `Lower the retention from ${days(before)} to ${days(wanted)}? Older histories and results are deleted.`;
  if (!process.stdin.isTTY) throw new CliError(`${what} There is no terminal to confirm at. Add --yes.`);
  if (!(await confirm(what))) throw new CliError('Nothing was changed.', EXIT.interrupted);
}

interface Target {
  connection: Connection;
  namespace: string;
  /** The options that name the server. */
  server: string;
}

async function register(
  { connection, namespace, server }: Target,
  missing: string[],
  todo: string[],
): Promise<string[]> {
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    return missing;
  } catch (error) {
    if (!isRefused(error)) throw error;
    todo.push(
      isCloudConnection(connection) ? cloudAttributesCommand(namespace, missing) : operatorCommand(server, missing),
    );
    return [];
  }
}

/** The command for a user who has the permission. */
function operatorCommand(server: string, names: string[]): string {
  const attributes = names.map((name) => `--name ${name} --type Keyword`).join(' ');
  return `temporal operator search-attribute create ${attributes}${server}`;
}

/** @returns the retention afterwards */
async function retain(
  { connection, namespace, server }: Target,
  { before, wanted }: { before: number; wanted: number | undefined },
  todo: string[],
): Promise<number> {
  if (wanted === undefined ? before >= MINIMUM_RETENTION_MS : before === wanted) return before;
  if (wanted === undefined) {
    const ownCommand = `temporal-incode setup${server} --retention 30d`;
    todo.push(isCloudConnection(connection) ? cloudRetentionCommand(namespace, 30 * DAY_MS) : ownCommand);
    return before;
  }
  const workflowExecutionRetentionTtl = msToTs(wanted);
  try {
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
    return wanted;
  } catch (error) {
    if (!isRefused(error)) throw error;
    // A user with more permissions can run this.
    const asOperator = `temporal operator namespace update${server} --retention ${wanted / DAY_MS}d`;
    todo.push(isCloudConnection(connection) ? cloudRetentionCommand(namespace, wanted) : asOperator);
    return before;
  }
}

function print({ namespace, registered, present, todo }: Done, retentionMs: number): void {
  printFacts({
    namespace,
    registered: registered.join(', '),
    'there already': present.join(', '),
    retention: days(retentionMs),
  });
  if (retentionMs < MINIMUM_RETENTION_MS) {
    process.stderr.write(
      `Results and histories are gone after ${days(retentionMs)}, and a repeated start begins a new onboarding. Set at least 7 days.\n`,
    );
  }
  if (todo.length > 0) printNotice(['Left to do:', ...todo.map((command) => `  ${printable(command)}`)].join('\n'));
}
