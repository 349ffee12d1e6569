import type { Call } from '../../src/testing/index.js';
import type { Campaign } from './campaign.js';
import { finishedAgain } from './once.js';
import type { PersonEvidence } from './people-record.js';
import type { Evidence, RunSummary, Violation } from './record.js';
import { OTHER } from './types.js';

/** The number of violations to print with details. The rest usually repeat them. */
const MAX_DETAILS = 5;

export function report({ schedule, evidence, violations, happened, taken, directory }: Campaign): string {
  const { seed, seconds, server, perSecond } = schedule;
  const lines = [`${counted(happened)}, ${taken} webhooks taken`, summary(evidence), summaryOfPeople(evidence)];
  for (const violation of violations) lines.push(`${violation.invariant}: ${violation.who} ${violation.what}`);
  for (const violation of violations.slice(0, MAX_DETAILS)) lines.push(...details(evidence, violation));
  lines.push(
    violations.length === 0
      ? `Seed ${seed}: every invariant holds.`
      : `Seed ${seed}: ${violations.length} violations. Logs: ${directory}. Again: npm run faults -- --seed ${seed} --seconds ${seconds}${server === 'cluster' ? ' --cluster' : ''} --per-second ${perSecond}`,
  );
  return lines.join('\n');
}

/** `25 killWorker, 12 killServer, …` */
function counted(names: string[]): string {
  const count = new Map<string, number>();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  return [...count]
    .sort(([, a], [, b]) => b - a)
    .map(([name, many]) => `${many} ${name}`)
    .join(', ');
}

function summary(evidence: Evidence): string {
  const { sessions, shards } = evidence;
  const endings = sessions.map(({ runs, row }) => {
    const last = runs.at(-1);
    const result = (last?.result ?? row) as { outcome?: string } | null | undefined;
    return result?.outcome ?? last?.failure?.type ?? row?.failure?.type ?? last?.status ?? 'never started';
  });
  const records = new Set(sessions.map(({ record }) => record));
  const calls = [...new Set(sessions.flatMap(({ incode }) => incode.calls))];
  const { allowed, passedOver } = finishedAgain(evidence);
  return (
    `${records.size} sessions, ${sessions.length - records.size} of them in two batches, ${shards.length} runs of shards, ${calls.length} calls of Incode, ` +
    `${calls.filter(({ fault }) => fault !== null).length} of them with a fault, ${allowed} times one was finished again after "unfinished", ` +
    `${passedOver} times that was not judged because this machine stood still.\n${counted(endings)}`
  );
}

function summaryOfPeople({ people, peopleShards }: Evidence): string {
  const endings = people.map(({ runs, rows }) => {
    const last = runs.at(-1);
    return (
      last?.report?.outcome ?? last?.failure?.type ?? rows[0]?.row?.failure?.type ?? last?.status ?? 'never started'
    );
  });
  const opened = people.flatMap((person) => person.opened);
  const runs = people.flatMap((person) => person.runs);
  const orphans = new Set(
    runs.flatMap(({ report }) => (report?.suspectedOrphans ?? []).map(({ externalCustomerId }) => externalCustomerId)),
  );
  const calls = [...people.flatMap(({ starts }) => starts), ...opened.flatMap((session) => session.calls)];
  return (
    `${people.length} people, ${people.filter(({ rows }) => rows.length > 0).length} of them in lists, ${runs.length} runs, ` +
    `${peopleShards.length} runs of shards, ${opened.length} sessions opened, ${orphans.size} suspected orphans, ` +
    `${opened.flatMap(({ captures }) => captures.uploads).length} uploads, ${calls.length} calls of Incode, ` +
    `${calls.filter(({ fault }) => fault !== null).length} of them with a fault.\n${counted(endings)}`
  );
}

function details(evidence: Evidence, { who }: Violation): string[] {
  const { sessions, shards, people } = evidence;
  const person = people.find(
    ({ record }) => who === record.person.reference || who.endsWith(`/${record.person.reference}`),
  );
  if (person) return detailsOfPerson(person);
  const session = sessions.find(({ record }) => who.endsWith(record.session.interviewId));
  if (!session)
    return shards.filter(({ workflowId }) => workflowId === who).flatMap(({ outline }) => ['', who, ...outline]);
  const { record, row, incode } = session;
  const batch = record.session.interviewId.replace(/-\d+$/, '');
  const batches = [batch, `${batch}${OTHER}`].map((id) => `incode-batch/${id}/`);
  const isOfBatch = ({ workflowId }: RunSummary) => batches.some((prefix) => workflowId.startsWith(prefix));
  const runs = record.by === 'batch' ? shards.filter(isOfBatch) : session.runs;
  return [
    '',
    `${who}: ${JSON.stringify({ ...record, row, effects: incode.view.effects, status: incode.view.onboardingStatus })}`,
    ...incode.calls.map(lineOf),
    ...runs.flatMap(linesOf),
  ];
}

function detailsOfPerson({ record, runs, rows, opened, starts }: PersonEvidence): string[] {
  return [
    '',
    `${record.person.reference}: ${JSON.stringify({ ...record, rows })}`,
    ...starts.map(lineOf),
    ...opened.flatMap(({ view, captures, calls }) => [
      `  Session ${JSON.stringify({ ...view, uploads: captures.uploads })}`,
      ...calls.map(lineOf),
    ]),
    ...runs.flatMap((run) => [`  ${JSON.stringify({ asked: run.asked, report: run.report })}`, ...linesOf(run)]),
  ];
}

function lineOf({ at, ...call }: Call): string {
  return `  Incode ${new Date(at).toISOString()} ${JSON.stringify(call)}`;
}

function linesOf({ outline, workflowId, runId, status, result, failure }: RunSummary): string[] {
  return [
    `  ${workflowId} run ${runId} ${status} ${JSON.stringify(result ?? failure)}`,
    ...outline.map((line) => `    ${line}`),
  ];
}
