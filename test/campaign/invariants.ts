import { wrongEndings } from './endings.js';
import { finishedTwice } from './once.js';
import { unnamedSessions } from './orphans.js';
import { wrongPeople } from './people-invariants.js';
import type { Evidence, Violation } from './record.js';
import { uploadedTwice } from './uploads.js';

/** The invariants of every campaign. `docs/faults.md` explains each. */
export function violations(evidence: Evidence): Violation[] {
  return [
    ...wrongEndings(evidence),
    ...finishedTwice(evidence),
    ...wrongPeople(evidence),
    ...unnamedSessions(evidence),
    ...uploadedTwice(evidence),
    ...secretsShown(evidence),
    ...stuck(evidence),
    ...unexpected(evidence),
  ];
}

/** Secrets that payloads may contain. */
const PARTS_OF_SESSIONS = ['token', 'redirection'];

/**
 * No history, log or output contains a secret, and no payload contains a secret of workers, not even encrypted. Violations name the
 * secret and the place, never the value.
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

/** Every workflow has ended without open activities, and no workflow task failed. */
export function stuck({
  sessions,
  shards,
  claims,
  people,
  peopleShards,
}: Pick<Evidence, 'sessions' | 'shards' | 'claims' | 'people' | 'peopleShards'>): Violation[] {
  const runs = [...[...sessions, ...people].flatMap((each) => each.runs), ...shards, ...peopleShards];
  const failed = [...runs, ...claims].flatMap((run) =>
    run.failedTasks.map((message) => ({ run, what: `a workflow task failed: ${message}` })),
  );
  const unended = runs.flatMap((run) => [
    ...(run.status === 'running' ? [{ run, what: 'has not ended' }] : []),
    // A terminated workflow cannot clean up.
    ...(run.status === 'terminated' ? [] : run.openActivities).map((name) => ({
      run,
      what: `left the activity ${name} behind`,
    })),
  ]);
  const rowless = sessions.filter(({ record, row }) => record.by === 'batch' && row === null);
  return [
    ...[...failed, ...unended].map(({ run, what }) => ({ invariant: 'stuck' as const, who: run.workflowId, what })),
    ...rowless.map(({ record }) => ({
      invariant: 'stuck' as const,
      who: record.session.interviewId,
      what: 'has no row',
    })),
  ];
}

/**
 * A worker may exit with 1 or 2 if it loses its server or cannot read its keys, and is restarted. A receiver may do so only before it is
 * ready. Any signal means a crash, or that the machine ran out of memory, because the campaign's own kills are not reported here.
 */
export function endedByItself(who: string, code: number | string | null, wasReady: boolean): string[] {
  const isReceiver = who === 'receiver';
  const isExcused = isReceiver ? !wasReady && (code === 1 || code === 2) : code === 0 || code === 1 || code === 2;
  return isExcused ? [] : [`${who} ended by itself with ${code}`];
}

/** No caller got an undocumented error, and no process ended unexpectedly. */
export function unexpected({
  sessions,
  people,
  problems,
}: Pick<Evidence, 'sessions' | 'people' | 'problems'>): Violation[] {
  const told = [
    ...sessions.flatMap(({ record }) => record.problems.map((what) => ({ who: record.session.interviewId, what }))),
    ...people.flatMap(({ record }) => record.problems.map((what) => ({ who: record.person.reference, what }))),
  ];
  const others = problems.map((what) => ({ who: 'campaign', what }));
  return [...told, ...others].map((problem) => ({ invariant: 'unexpected' as const, ...problem }));
}
