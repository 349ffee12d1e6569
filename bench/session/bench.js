import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { OnboardingClient } from '../../dist/client/index.js';
import { onboardingWorkflowId } from '../../dist/contract/index.js';
import { createWorker, readConfig } from '../../dist/worker.js';
import { shuffled } from '../lib/order.js';
import { printTable, say } from '../lib/report.js';
import { median, percentile, rounded } from '../lib/statistics.js';
import { startIncodeAndWorker, startServer, workerEnvironment } from '../lib/world.js';
import { costOf, PATHS } from './paths.js';
import { PHASE_NAMES, phasesOf, typicalPhases } from './phases.js';

const ROUNDS = 100;
const WARM_UP = 10;
/** What Incode takes for an answer. */
const LATENCIES_MS = [0, 20];
const BARE_QUEUE = 'bare';
const MOST_RATIO = 1.1;
const MOST_ACTIONS = { 'without score': 3, 'with score': 5 };

/** One session at a time, by a bare workflow around the one call and by ours, in turns on one server. */
export async function run() {
  const latency = {};
  const phases = {};
  let cost;
  let server;
  for (const latencyMs of LATENCIES_MS) {
    const world = await startServer();
    try {
      server = { version: world.server.version, source: world.server.source };
      const { simulator } = await startIncodeAndWorker(world, { simulator: { latencyMs } });
      await startBareWorker(world, simulator);
      const hosted = await startHost(world, simulator);
      const measured = await measure({ ...world, ...hosted, simulator }, latencyMs);
      latency[latencyMs] = measured.times;
      phases[latencyMs] = mapped(measured.phases, typicalPhases);
      cost ??= await costs({ ...world, simulator });
    } finally {
      await world.stop();
    }
  }
  printLatency(latency);
  printPhases(phases);
  printTable(
    'What a session costs',
    ['path', 'billable actions', 'of them attempts', 'history events', 'history bytes'],
    Object.entries(cost).map(([path, { actions, attempts, events, bytes }]) => [
      path,
      actions,
      attempts,
      events,
      bytes,
    ]),
  );
  return {
    server,
    settings: { ROUNDS, WARM_UP, LATENCIES_MS },
    results: { latency, phases, cost },
    targets: [...latencyTargets(latency), ...costTargets(cost)],
  };
}

async function startBareWorker({ server, stops }, simulator) {
  const env = { ...workerEnvironment(server, simulator), TASK_QUEUE: BARE_QUEUE };
  const child = fork(fileURLToPath(new URL('bare-worker.js', import.meta.url)), { env });
  stops.push(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('The bare worker ended'))),
  ]);
}

/** A worker in this process, and clients on its connection: with and without an eager start. */
async function startHost({ server, stops }, simulator) {
  quietRuntime();
  const queue = { WORKER_TASK_QUEUE: 'hosted', WORKER_BULK_TASK_QUEUE: 'hosted-bulk' };
  const worker = await createWorker(readConfig({ ...workerEnvironment(server, simulator), ...queue }));
  const running = worker.run();
  stops.push(() => {
    worker.shutdown();
    return running;
  });
  const client = new Client({ connection: worker.connection, namespace: server.namespace });
  const hosted = (requestEagerStart) => new OnboardingClient({ client, taskQueue: 'hosted', requestEagerStart });
  return { eager: hosted(true), beside: hosted(false) };
}

let isQuiet = false;

/** There is one runtime a process. */
function quietRuntime() {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
}

const BARE = 'bare workflow, one activity';

/** What is timed, from the request to start until its answer is here. */
const WAYS = {
  [BARE]: ({ client }, { interviewId, token }) =>
    client.workflow.execute('bare', {
      taskQueue: BARE_QUEUE,
      workflowId: bareWorkflowId(interviewId),
      args: [{ interviewId, sessionToken: token }],
    }),
  'onboarding without score': ({ onboarding }, session) => startToResult(onboarding, session, { score: false }),
  'onboarding with score': ({ onboarding }, session) => startToResult(onboarding, session, {}),
  'client and worker in one process, no score': ({ beside }, session) =>
    startToResult(beside, session, { score: false }),
  'the same with eager start': ({ eager }, session) => startToResult(eager, session, { score: false }),
  "finish: Incode's answer, by update": ({ onboarding }, { interviewId, token }) =>
    onboarding.finish({ interviewId, sessionToken: token, verifyFirst: 'trust' }),
};

async function startToResult(onboarding, { interviewId, token }, plan) {
  // The bare workflow makes one request too.
  await onboarding.start({ interviewId, sessionToken: token, plan, verifyFirst: 'trust' });
  await onboarding.result(interviewId);
}

async function measure(world, latencyMs) {
  const times = mapped(WAYS, () => []);
  const phases = mapped(WAYS, () => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [way, run] of shuffled(Object.entries(WAYS))) {
      const session = await world.simulator.openSession();
      const askedAt = now();
      await run(world, session);
      const answeredAt = now();
      const handle = world.client.workflow.getHandle(workflowIdOf(way, session));
      // The rest of one that was answered early is not to be in the way of what is timed next.
      await handle.result();
      if (round < 0) continue;
      times[way].push(answeredAt - askedAt);
      const { events } = await handle.fetchHistory();
      phases[way].push(phasesOf(events, { askedAt, answeredAt }));
    }
    if (round === ROUNDS / 2) say(`Incode's latency ${latencyMs} ms: half of the rounds`);
  }
  return { times, phases };
}

function workflowIdOf(way, { interviewId }) {
  return way === BARE ? bareWorkflowId(interviewId) : onboardingWorkflowId(interviewId);
}

function bareWorkflowId(interviewId) {
  return `bare/${interviewId}`;
}

/** In ms since the epoch, and parts of one. */
function now() {
  return performance.timeOrigin + performance.now();
}

function mapped(values, change) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function latencyTargets(latency) {
  return Object.entries(latency).map(([latencyMs, times]) => {
    const [bare, ours] = Object.values(times);
    const ratio = rounded(median(ours) / median(bare), 2);
    return {
      what: `onboarding without score / bare workflow, Incode answers after ${latencyMs} ms`,
      target: `at most ${MOST_RATIO}`,
      measured: String(ratio),
      met: ratio <= MOST_RATIO,
    };
  });
}

function costTargets(cost) {
  return Object.entries(MOST_ACTIONS).map(([path, most]) => ({
    what: `billable actions, ${path}`,
    target: `at most ${most}`,
    measured: String(cost[path].actions),
    met: cost[path].actions <= most,
  }));
}

async function costs(world) {
  const rows = {};
  for (const [path, run] of Object.entries(PATHS)) rows[path] = await costOf(world, await run(world));
  return rows;
}

function printPhases(phases) {
  for (const [latencyMs, ways] of Object.entries(phases)) {
    printTable(
      `Where it goes, medians in ms, Incode answers after ${latencyMs} ms`,
      ['way', ...PHASE_NAMES],
      Object.entries(ways).map(([way, phase]) => [way, ...PHASE_NAMES.map((name) => phase[name])]),
    );
  }
}

function printLatency(latency) {
  for (const [latencyMs, times] of Object.entries(latency)) {
    const [bare] = Object.values(times);
    printTable(
      `Latency of one session, ms, Incode answers after ${latencyMs} ms: ${ROUNDS} interleaved rounds`,
      ['way', 'median', 'p10', 'p90', 'times the bare one'],
      Object.entries(times).map(([way, values]) => [
        way,
        ...[0.5, 0.1, 0.9].map((share) => rounded(percentile(values, share))),
        rounded(median(values) / median(bare), 2),
      ]),
    );
  }
}
