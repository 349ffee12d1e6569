import { setTimeout } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { ConnectedOnboardingClient } from '../../client/index.js';
import { type ListedSession, listedPerson, listedSession } from '../../client/list/listed.js';
import { listPage } from '../../client/list/page.js';
import { type Filter, queryFor, STATUSES } from '../../client/list/query.js';
import { type PersonWithSession, withSessions } from '../../client/list/sessions-of-people.js';
import { OUTCOMES, STAGES } from '../../contract/index.js';
import { LONG_CAPTURE_STAGES } from '../../contract/long-stages.js';
import { queryError } from '../list/query-error.js';
import { CliError } from '../shared/exit.js';
import {
  countOption,
  durationOption,
  type TemporalOptions,
  withClient,
  withTemporalOptions,
} from '../shared/options.js';
import { age, colored, json, printable, printNotice, printTable, writeOut } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';

interface ListOptions extends TemporalOptions, Filter {
  people: boolean;
  limit: number;
  watch: boolean;
  wide: boolean;
  json: boolean;
}

export function define(command: Command): void {
  withTemporalOptions(command)
    .option('--people', 'list people from images instead of sessions', false)
    .addOption(
      new Option('--stage <stage>', 'only those in this stage').choices([
        ...new Set([...STAGES, ...LONG_CAPTURE_STAGES]),
      ]),
    )
    .addOption(new Option('--outcome <outcome>', 'only those with this outcome').choices(OUTCOMES))
    .option('--batch <id>', 'only those that were started with this batch id', batch)
    .addOption(new Option('--status <status>', 'only those whose onboarding has this status').choices(STATUSES))
    .option('--older-than <age>', 'only those that started longer ago', durationOption('--older-than'))
    .option('--newer-than <age>', 'only those that started more recently', durationOption('--newer-than'))
    .option('--limit <count>', 'maximum number of sessions', countOption('--limit'), 100)
    .option('--watch', 'print again every few seconds, until Ctrl-C', false)
    .option('--wide', 'print whole columns and exact times', false)
    .option('--json', 'print one JSON object per line', false)
    .addHelpText(
      'after',
      `
The stage is the last published one: waiting, needsToken, inReview and the stages after them. Short stages are not published, because
Temporal Cloud bills each change. Sessions that "batch" completes are not listed: use batch --status.
People have the stages needsImage and needsToken. Otherwise a person's line shows stage and outcome of the session. To filter by these, list
the sessions: temporal-incode list --outcome rejected --batch people-…
Changes within the last second may be missing.

Examples:
  $ temporal-incode list --stage needsToken --status open --watch
  $ temporal-incode list --status failed --newer-than 1d
  $ temporal-incode list --people --stage needsImage --status open
  $ temporal-incode list --outcome needsReview --limit 10000 --json | jq -r .interviewId`,
    )
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  const { people, stage, outcome, olderThan, newerThan, limit, watch, json } = options;
  if (people && (outcome !== undefined || (stage !== undefined && !isOneOf(LONG_CAPTURE_STAGES, stage)))) {
    throw new CliError(`--people goes with --stage ${LONG_CAPTURE_STAGES.join(' or ')} only, and without --outcome`);
  }
  if (!people && stage !== undefined && !isOneOf(STAGES, stage)) {
    throw new CliError(`--stage ${stage} is for people: add --people`);
  }
  if (olderThan !== undefined && newerThan !== undefined && olderThan >= newerThan) {
    throw new CliError('--older-than must be less than --newer-than: nothing is older and newer at once');
  }
  if (watch && json) throw new CliError('--watch is for a terminal: it excludes --json');
  await withClient(options, async (client) => {
    const print = async () => {
      try {
        const sessions = listed(client, options, limit + 1);
        const isMore = json ? await printLines(sessions, limit) : await printSessions(sessions, options);
        if (isMore) process.stderr.write(`There are more than ${limit}. Raise --limit to see more.\n`);
      } catch (error) {
        throw queryError(client, error);
      }
    };
    if (watch) await untilInterruptedEvery(WATCH_MS, print);
    else await print();
  });
}

function isOneOf(stages: readonly string[], stage: string): boolean {
  return stages.includes(stage);
}

/** Frequent enough to see changes, and below the server's rate limit for list queries. */
const WATCH_MS = 5_000;

const CLEAR_SCREEN = '\u001b[H\u001b[2J';

async function untilInterruptedEvery(ms: number, print: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const interrupted = untilInterrupted().then(() => over.abort());
  while (!over.signal.aborted) {
    if (process.stdout.isTTY) process.stdout.write(CLEAR_SCREEN);
    await print();
    await setTimeout(ms, undefined, { signal: over.signal }).catch(() => undefined);
  }
  await interrupted;
}

type Listed = ListedSession | PersonWithSession;

/** Keeps a page below gRPC's limit of 4 MB. */
const PAGE = 1_000;

async function* listed(client: ConnectedOnboardingClient, options: ListOptions, most: number): AsyncGenerator<Listed> {
  // Once, because its times are relative to now.
  const query = queryFor(options);
  let cursor: string | undefined;
  let left = most;
  do {
    const page = await listPage(client.temporal, query, { limit: Math.min(left, PAGE), cursor });
    const items = page.items.slice(0, left);
    yield* options.people ? await withSessions(client.temporal, items.map(listedPerson)) : items.map(listedSession);
    left -= page.items.length;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
}

/** @returns whether there are more */
async function printLines(sessions: AsyncIterable<Listed>, limit: number): Promise<boolean> {
  let printed = 0;
  for await (const session of sessions) {
    if (printed === limit) return true;
    await writeOut(`${json(session)}\n`);
    printed += 1;
  }
  return false;
}

async function printSessions(
  sessions: AsyncIterable<Listed>,
  { people, limit, batch, wide }: ListOptions,
): Promise<boolean> {
  const found: Listed[] = [];
  for await (const session of sessions) found.push(session);
  if (found.length === 0) {
    const command = people ? 'capture' : 'batch';
    const hint =
      batch === undefined ? '' : ` For a list: temporal-incode ${command} --status --batch-id ${printable(batch)}`;
    printNotice(`No ${people ? 'person' : 'session'}.${hint}`);
    return false;
  }
  const shown = found.slice(0, limit);
  const hasBatch = shown.some(({ batchId }) => batchId !== null);
  printTable(
    [
      people ? 'person' : 'session',
      'status',
      'stage',
      'outcome',
      wide ? 'started' : 'age',
      ...(hasBatch ? ['batch'] : []),
    ],
    shown.map(({ status, stage, outcome, startedAt, batchId, ...id }) => [
      printable('reference' in id ? id.reference : id.interviewId),
      colored(status),
      colored(stage ?? ''),
      colored(outcome ?? ''),
      wide ? startedAt : age(new Date(startedAt)),
      ...(hasBatch ? [printable(batchId ?? '')] : []),
    ]),
    wide,
  );
  return found.length > limit;
}

/** Temporal's SQL stores cannot find values with these characters, so an empty result would be misleading. */
const NOT_SEARCHABLE = /["\\\p{Cc}]|^'|'$/u;

function batch(value: string): string {
  if (value !== '' && !NOT_SEARCHABLE.test(value)) return value;
  throw new CliError('--batch must be a batch id without quotation marks, backslashes or line breaks');
}
