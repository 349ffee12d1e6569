import { wrongEndings } from './endings.js';
import { finishedTwice } from './once.js';
import type { Evidence, Violation } from './record.js';

/** What must hold at the end of every campaign; `docs/faults.md` has a line for each. */
export function violations(evidence: Evidence): Violation[] {
  return [
    ...wrongEndings(evidence),
    ...finishedTwice(evidence),
    ...secretsShown(evidence),
    ...stuck(evidence),
    ...unexpected(evidence),
  ];
}

/** Tokens and redirections are what sessions are about. */
const PARTS_OF_SESSIONS = ['token', 'redirection'];

/**
 * No secret stands in a history, a log or an output; and what belongs to workers alone in no payload, encrypted though it is. Says
 * which and where, never what.
 */
export function secretsShown({
  texts,
  payloads,
  secrets,
}: Pick<Evidence, 'texts' | 'payloads' | 'secrets'>): Violation[] {
  const ofWorkers = Object.entries(secrets).filter(([name]) => !PARTS_OF_SESSIONS.includes(name));
  return [
    ...found(texts, Object.entries(secrets), 'shows a secret'),
    ...found(payloads, ofWorkers, 'has in a payload'),
  ];
}

function found(texts: Record<string, string>, secrets: [string, string][], how: string): Violation[] {
  return Object.entries(texts).flatMap(([who, text]) =>
    secrets
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => ({ invariant: 'secret' as const, who, what: `${how}: ${name}` })),
  );
}

/** Everything has ended, left no activity behind, and no workflow task failed on the way. */
export function stuck({ sessions, shards }: Pick<Evidence, 'sessions' | 'shards'>): Violation[] {
  const runs = [...sessions.flatMap((session) => session.runs), ...shards];
  const found = runs.flatMap((run) => [
    ...(run.status === 'running' ? [{ run, what: 'has not ended' }] : []),
    ...run.failedTasks.map((message) => ({ run, what: `a workflow task failed: ${message}` })),
    // A terminated workflow is told of nothing, and leaves things as they are.
    ...(run.status === 'terminated' ? [] : run.openActivities).map((name) => ({
      run,
      what: `left the activity ${name} behind`,
    })),
  ]);
  const rowless = sessions.filter(({ record, row }) => record.by === 'batch' && row === null);
  return [
    ...found.map(({ run, what }) => ({ invariant: 'stuck' as const, who: run.workflowId, what })),
    ...rowless.map(({ record }) => ({
      invariant: 'stuck' as const,
      who: record.session.interviewId,
      what: 'has no row',
    })),
  ];
}

/**
 * A worker may lose its server, or be unable to read its keys: it ends with 1 or 2, and is started again. A receiver needs both
 * only to begin. A signal comes from nobody here: the process has crashed, or this machine has no memory left.
 */
export function endedByItself(who: string, code: number | string | null, wasReady: boolean): string[] {
  const isReceiver = who === 'receiver';
  const isExcused = isReceiver ? !wasReady && (code === 1 || code === 2) : code === 0 || code === 1 || code === 2;
  return isExcused ? [] : [`${who} ended by itself with ${code}`];
}

/** Nobody is told an error that is not documented, and no process ends by itself. */
export function unexpected({ sessions, problems }: Pick<Evidence, 'sessions' | 'problems'>): Violation[] {
  const told = sessions.flatMap(({ record }) =>
    record.problems.map((what) => ({ who: record.session.interviewId, what })),
  );
  const others = problems.map((what) => ({ who: 'campaign', what }));
  return [...told, ...others].map((problem) => ({ invariant: 'unexpected' as const, ...problem }));
}
