import type { Command } from 'commander';
import { namedTaskQueues } from '../../config/index.js';
import { counted } from '../../contract/counted.js';
import { BULK_TASK_QUEUE, TASK_QUEUE } from '../../contract/index.js';
import type { Check, CheckStatus } from '../doctor/check.js';
import { incodeChecks } from '../doctor/incode.js';
import { secretFileChecks } from '../doctor/secret-files.js';
import { type Queue, type Queues, temporalChecks } from '../doctor/temporal.js';
import { receiverUrl, webhookChecks } from '../doctor/webhooks.js';
import { EXIT } from '../shared/exit.js';
import { type TemporalOptions, withTemporalOptions } from '../shared/options.js';
import { colored, printable, printJson } from '../shared/output.js';
import { asTyped } from '../shared/program.js';

interface DoctorOptions extends TemporalOptions {
  bulkTaskQueue?: string;
  webhookUrl?: string;
  json: boolean;
}

export function define(command: Command): void {
  withTemporalOptions(command, `WORKER_TASK_QUEUE, or ${TASK_QUEUE}`)
    .option(
      '--bulk-task-queue <name>',
      `task queue of batches (default: WORKER_BULK_TASK_QUEUE, or ${BULK_TASK_QUEUE})`,
    )
    .option('--webhook-url <url>', 'address of a webhook receiver to check', receiverUrl)
    .option('--json', 'print the checks as JSON', false)
    .addHelpText(
      'after',
      `
Checks everything that does not need a session: Temporal's server, the namespace with its search attributes and retention, workers
that poll, Incode with the API key, this machine's clock, and secret files. It asks Incode for the status of a session that does
not exist, with an invalid token. Run it in a worker's environment. Exits with 1 if a check fails.

Examples:
  $ temporal-incode doctor
  $ temporal-incode doctor --webhook-url http://127.0.0.1:8088 --json`,
    )
    .action(doctor);
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { webhookUrl, json } = options;
  const found = await Promise.all([
    temporalChecks(options, queuesOf(options)),
    incodeChecks(),
    webhookChecks(webhookUrl),
    secretFileChecks(),
  ]);
  const checks = found.flat();
  const failed = checks.filter(({ status }) => status === 'failed').length;
  if (json) printJson({ ok: failed === 0, checks });
  else print(checks, failed);
  if (failed > 0) process.exitCode = EXIT.failed;
}

/** Runs in a worker's environment, which may name other task queues than the default ones. */
function queuesOf({ taskQueue, bulkTaskQueue }: DoctorOptions): Queues {
  const named = namedTaskQueues();
  const queueOf = (option: string | undefined, variable: keyof typeof named, byDefault: string): Queue => {
    const name = option ?? named[variable];
    return { name: name ?? byDefault, variable: option === undefined && name !== null ? variable : null };
  };
  return {
    sessions: queueOf(taskQueue, 'WORKER_TASK_QUEUE', TASK_QUEUE),
    batches: queueOf(bulkTaskQueue, 'WORKER_BULK_TASK_QUEUE', BULK_TASK_QUEUE),
  };
}

/** Longer names, of several checks with one cause, get their own line, so that messages have room in 80 columns. */
const MAX_NAME_WIDTH = 30;

/** Breaks a long list of names below the first name. */
function inRows(names: string): string {
  return names.replace(/(.{40,}?), /g, `$1,\n${' '.repeat(9)}`);
}

function print(checks: Check[], failed: number): void {
  const lines = oncePerCause(checks);
  const width = Math.max(0, ...lines.map(({ name }) => name.length).filter((length) => length <= MAX_NAME_WIDTH));
  const before = ' '.repeat(width + 11);
  for (const { name, status, message, todo } of lines) {
    const indent = ' '.repeat('warning'.length - status.length);
    const shown = name.length <= width ? `${name.padEnd(width)}  ` : `${inRows(name)}\n${before}`;
    process.stdout.write(`${colored(status)}${indent}  ${shown}${printable(message)}\n`);
    if (todo) process.stdout.write(`${before}${asTyped(printable(todo))}\n`);
  }
  const having = (wanted: CheckStatus) => checks.filter(({ status }) => status === wanted).length;
  const [warnings, skipped] = [having('warning'), having('skipped')];
  const problems = failed + warnings === 0 ? 'Nothing is wrong' : `${failed} failed, ${counted(warnings, 'warning')}`;
  const unknown =
    skipped > 0 ? `${failed + warnings === 0 ? ' in what was checked' : ''}; ${counted(skipped, 'check')} skipped` : '';
  process.stdout.write(`\n${problems}${unknown}.\n`);
}

/** Merges checks with the same result and cause into one line. */
function oncePerCause(checks: Check[]): Check[] {
  const lines = new Map<string, Check>();
  for (const check of checks) {
    const { status, message, todo = '' } = check;
    const cause = JSON.stringify([status, message, todo]);
    const first = lines.get(cause);
    lines.set(cause, first ? { ...first, name: `${first.name}, ${check.name}` } : check);
  }
  return [...lines.values()];
}
