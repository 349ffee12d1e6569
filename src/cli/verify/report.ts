import { styleText } from 'node:util';
import { counted } from '../../contract/counted.js';
import { printJson, printNotice } from '../shared/output.js';
import type { Result, Verdict } from './check.js';
import type { EnvironmentKind } from './environment.js';
import { type OwnSessions, shortHash } from './own-sessions.js';
import { wrappedTable } from './wrapped-table.js';

export interface Report {
  version: string;
  environment: EnvironmentKind;
  startedAt: Date;
  /** Why the run ended early; `undefined` if it did not. */
  stopped: string | undefined;
  results: Result[];
  sessions: OwnSessions;
}

/** Prints JSON for an issue report, without keys, tokens, interview ids, accounts or URLs. */
export function printAsJson({ version, environment, startedAt, stopped, results, sessions }: Report): void {
  printJson({
    package: `temporal-incode ${version}`,
    environment,
    startedAt: startedAt.toISOString(),
    stopped: stopped ?? null,
    counts: countsOf(results),
    checks: results,
    sessions: sessions.all.map(({ interviewId, closed, deleted, problem }) => ({
      session: shortHash(interviewId),
      closed,
      deleted,
      problem: problem ?? null,
    })),
    startsWithoutAnswer: sessions.unanswered,
  });
}

/** Together with the gaps, 80 columns. */
const WIDTHS = [21, 20, 10, 23];

/** Prints the results, with required actions first. */
export function printAsTable({ results }: Report): void {
  const sorted = results.toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
  const rows = sorted.map(({ assumption, evidence, seen, verdict, advice = '' }) => [
    `${assumption} [${evidence}]`,
    seen,
    WORDS[verdict],
    advice,
  ]);
  const table = wrappedTable(['assumption', 'seen', 'package', 'what to do'], rows, WIDTHS);
  process.stdout.write(`${table}\n\n${summary(results)}\n`);
}

/** The table's words, in the table's order. */
const WORDS: Record<Verdict, string> = {
  unsafe: coloredWord('red', 'UNSAFE'),
  'differs, configure': coloredWord('yellow', 'configure'),
  'differs, safe': 'safe',
  'as assumed': 'as assumed',
  'could not be tried': 'not tried',
};

const VERDICTS = Object.keys(WORDS) as Verdict[];

function coloredWord(color: 'yellow' | 'red', word: string): string {
  return styleText(color, word, { stream: process.stdout });
}

function summary(results: Result[]): string {
  const counts = countsOf(results);
  return VERDICTS.map((verdict) => `${counts[verdict]} ${WORDS[verdict]}`).join(', ');
}

function countsOf(results: Result[]): Record<Verdict, number> {
  const counts = VERDICTS.map((wanted) => [wanted, results.filter(({ verdict }) => verdict === wanted).length]);
  return Object.fromEntries(counts);
}

/** Prints the real ids, so that you can clean up by hand. */
export function printWhatIsLeft(sessions: OwnSessions): void {
  for (const { interviewId, problem } of sessions.all) {
    if (problem) printNotice(`Session ${interviewId} is left over: ${problem}. Delete it on the dashboard`);
  }
  if (sessions.unanswered > 0) {
    printNotice(
      `${counted(sessions.unanswered, 'start that may have opened a session', 'starts that may have opened a session each')} had no answer: look for ${sessions.label} on the dashboard`,
    );
  }
}

export function isCleanedUp({ all, unanswered }: OwnSessions): boolean {
  return unanswered === 0 && all.every(({ problem }) => problem === undefined);
}
