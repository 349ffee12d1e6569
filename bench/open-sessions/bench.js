import { onboardingWorkflowId } from '../../dist/contract/index.js';
import { memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { rounded } from '../lib/statistics.js';
import { forEach, sleep, startIncodeAndWorker, startServer, until } from '../lib/world.js';

const SESSIONS = 10_000;
const TARGET_MB = 500;
/** Garbage of the start is collected, and its last polls are answered. */
const SETTLE_MS = 15_000;

/** As it is, and with the setting that docs/worker.md names. */
const CASES = {
  'as it is': {},
  'glibc gives memory back': { MALLOC_TRIM_THRESHOLD_: '131072' },
};

/**
 * As many open lifecycles on one worker process, half of them waiting for the update `finish` and half for Incode's
 * post-processing, with a poll a quarter of an hour. Then a hundred of each go on, to show that they are alive.
 */
export async function run() {
  const rows = {};
  let server;
  for (const [name, env] of Object.entries(CASES)) {
    say(name);
    const world = await startServer();
    try {
      server = { version: world.server.version, source: world.server.source };
      rows[name] = await measure(world, env);
    } finally {
      await world.stop();
    }
  }
  printTable(
    `Memory of one worker process (RSS, MB) with ${SESSIONS} open sessions`,
    ['worker', 'after start', 'all waiting', 'highest', 'KB per session', 'sessions started per s', 'went on after'],
    Object.entries(rows).map(([name, row]) => [
      name,
      row.afterStartMb,
      row.waitingMb,
      row.highestMb,
      row.kbPerSession,
      row.startedPerSecond,
      row.wentOn,
    ]),
  );
  const [{ waitingMb, highestMb }] = Object.values(rows);
  const target = {
    what: `${SESSIONS} open sessions on one worker as it is by default`,
    target: `below ${TARGET_MB} MB`,
    measured: `${waitingMb} MB, at the highest ${highestMb} MB`,
    met: highestMb !== null && highestMb < TARGET_MB,
  };
  return { server, settings: { SESSIONS, CASES, SETTLE_MS }, results: rows, targets: [target] };
}

async function measure(world, env) {
  const { simulator, worker } = await startIncodeAndWorker(world, { env });
  await sleep(SETTLE_MS / 3);
  const afterStart = memoryMb(worker.pid);

  const startedAt = performance.now();
  const sessions = { asked: [], processed: [] };
  await forEach(Array.from({ length: SESSIONS }), 100, async (_, i) => {
    const finishWhen = i % 2 === 0 ? 'asked' : 'processed';
    const { interviewId, token } = await simulator.openSession({ processedAfterMs: null });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen } });
    sessions[finishWhen].push(interviewId);
    if (i % 2_500 === 0) say(`${i} of ${SESSIONS} sessions started, worker at ${memoryMb(worker.pid).now} MB`);
  });
  await until(() => (simulator.counts.onboardingStatus ?? 0) >= SESSIONS / 2, 'The first poll of each');
  await forEach(sessions.asked.slice(-200), 20, (interviewId) =>
    until(() => hasBegun(world, interviewId), 'The first workflow task of each'),
  );
  const query = 'IncodeStage = "waiting" AND ExecutionStatus = "Running"';
  await until(async () => (await world.client.workflow.count(query)).count === SESSIONS, 'A list of all of them');
  const seconds = (performance.now() - startedAt) / 1_000;
  await sleep(SETTLE_MS);
  const waiting = memoryMb(worker.pid);
  const wentOn = await goOn(world, sessions);
  return {
    afterStartMb: afterStart.now,
    waitingMb: waiting.now,
    highestMb: memoryMb(worker.pid).highest,
    kbPerSession: rounded(((waiting.now - afterStart.now) * 1_024) / SESSIONS),
    startedPerSecond: rounded(SESSIONS / seconds),
    wentOn,
  };
}

/** Without a query, for which it would be brought back into the cache. */
async function hasBegun({ client }, interviewId) {
  const { historyLength } = await client.workflow.getHandle(onboardingWorkflowId(interviewId)).describe();
  return historyLength >= 4;
}

async function goOn({ onboarding }, { asked, processed }) {
  const some = [...asked.slice(0, 100), ...processed.slice(0, 100)];
  await forEach(asked.slice(0, 100), 20, (interviewId) => onboarding.finish({ interviewId }));
  await forEach(processed.slice(0, 100), 20, (interviewId) =>
    onboarding.statusChanged({ interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' }),
  );
  const results = [];
  await forEach(some, 20, async (interviewId) => results.push((await onboarding.result(interviewId)).outcome));
  return `${results.filter((outcome) => outcome === 'approved').length} of ${some.length} approved`;
}
