import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWorkerProcess } from '../../dist/cli/local/worker-process.js';
import { completeBatch } from '../../dist/client/index.js';
import { memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { inWords, rounded, withSpread } from '../lib/statistics.js';
import { forEach, startServer } from '../lib/world.js';
import { bareLoop } from './bare-loop.js';

const ROUNDS = 3;
const API_KEY = 'bench';

/** The peers complete fewer, because they take longer. */
const SESSIONS = 30_000;
const PEER_SESSIONS = 500;

const CASES = [
  { name: '64 connections, 20 ms', connections: 64, latencyMs: 20, target: 0.95, peers: true },
  { name: '256 connections, 20 ms', connections: 256, latencyMs: 20, target: 0.85 },
  { name: '64 connections, no latency', connections: 64, latencyMs: 0, target: 0.5 },
  { name: '64 connections, 20 ms, 5 % answered 503', connections: 64, latencyMs: 20, target: 0.85, faultEvery: 20 },
];

/** Sessions per second, side by side with a loop that is not durable at all and with the usual ways of being so. */
export async function run() {
  const results = [];
  const memory = [];
  let actions = 0;
  let server;
  for (const one of CASES) {
    const world = await startCase(one);
    ({ server } = world);
    try {
      const rounds = [];
      for (let round = 1; round <= ROUNDS; round++) {
        rounds.push(await playRound(world, one, round));
        say(`${one.name}, round ${round} of ${ROUNDS}: ${JSON.stringify(rounds.at(-1))}`);
      }
      results.push(summary(one, rounds));
      memory.push(memoryMb(world.worker.pid).highest);
      actions = Math.max(actions, await billableActions(world));
    } finally {
      await world.stop();
    }
  }
  return report(results, rounded(actions, 4), Math.max(...memory), server);
}

async function startCase({ connections, latencyMs, peers }) {
  const world = await startServer();
  const incode = fork(fileURLToPath(new URL('incode.js', import.meta.url)), [API_KEY, String(latencyMs)]);
  world.stops.push(() => incode.kill());
  const [{ url }] = await once(incode, 'message');
  const env = {
    INCODE_BASE_URL: url,
    INCODE_API_KEY: API_KEY,
    INCODE_CONNECTIONS: String(connections),
    INCODE_BULK_CONNECTIONS: String(connections),
    ...world.server.env,
  };
  const worker = await startWorkerProcess(env, join(world.directory, 'worker.log'));
  world.stops.push(() => worker.stop());
  const ask = async (message) => {
    incode.send(message);
    return (await once(incode, 'message'))[0];
  };
  if (peers) await startActivityWorker(world, url, connections);
  return { ...world, url, worker, ask, stop: world.stop };
}

async function startActivityWorker(world, url, connections) {
  const args = [url, API_KEY, 'activity-per-session', String(connections)];
  const env = { ...process.env, ...world.server.env };
  const worker = fork(fileURLToPath(new URL('activity-worker.js', import.meta.url)), args, { env });
  world.stops.push(() => worker.kill());
  await once(worker, 'message');
}

/** In turn, so that what else the machine does strikes all of them. */
async function playRound(world, one, round) {
  const { connections, faultEvery, peers } = one;
  const { url } = world;
  const perSecond = {};
  const play = async (name, count, complete) => {
    const { sessions } = await world.ask({ open: count, faultEvery });
    const begun = performance.now();
    await complete(sessions);
    perSecond[name] = (count / (performance.now() - begun)) * 1_000;
    await checkFinishedOnce(world, sessions);
  };
  await play('bare loop', SESSIONS, (sessions) => bareLoop({ url, apiKey: API_KEY, sessions, connections }));
  await play('batch', SESSIONS, (sessions) => batch(world, sessions, `${one.name}-${round}`.replaceAll(/[^\w]/g, '-')));
  if (!peers) return perSecond;
  await play('one activity per session', PEER_SESSIONS * 3, (sessions) =>
    world.client.workflow.execute('activityPerSession', {
      workflowId: `activity-per-session-${round}`,
      taskQueue: 'activity-per-session',
      args: [sessions],
    }),
  );
  await play('one workflow per session', PEER_SESSIONS, (sessions) =>
    forEach(sessions, 100, async (session) => {
      await world.onboarding.start({ ...session, plan: { score: false }, verifyFirst: 'trust' });
      await world.onboarding.result(session.interviewId);
    }),
  );
  return perSecond;
}

async function batch({ onboarding }, sessions, batchId) {
  let approved = 0;
  // The ways beside it make one request a session.
  const options = { batchId, plan: { score: false }, verifyFirst: 'trust' };
  for await (const { outcome } of completeBatch(onboarding, sessions, options)) {
    if (outcome === 'approved') approved += 1;
  }
  if (approved !== sessions.length) throw new Error(`Only ${approved} of ${sessions.length}`);
}

async function checkFinishedOnce(world, sessions) {
  const { times } = await world.ask({ timesFinished: sessions.map(({ interviewId }) => interviewId) });
  const wrong = times.filter((finished) => finished !== 1).length;
  if (wrong > 0) throw new Error(`${wrong} sessions were not finished exactly once`);
}

/** Per session, over all shards of the case: starts, activity attempts, timers; heartbeats are no events, and rare. */
async function billableActions({ client }) {
  let actions = 0;
  let sessions = 0;
  for await (const { workflowId } of client.workflow.list({ query: 'WorkflowType = "onboardingBatch"' })) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    actions += 1;
    for (const event of events) {
      sessions += event.workflowExecutionStartedEventAttributes ? 2_000 : 0;
      actions += event.activityTaskStartedEventAttributes?.attempt ?? 0;
      actions += event.timerStartedEventAttributes ? 1 : 0;
    }
  }
  return actions / sessions;
}

function summary({ name, target }, rounds) {
  const rates = Object.fromEntries(
    Object.keys(rounds[0]).map((way) => [
      way,
      withSpread(
        rounds.map((round) => round[way]),
        0,
      ),
    ]),
  );
  const ratio = withSpread(
    rounds.map((round) => round.batch / round['bare loop']),
    2,
  );
  return { name, target, rates, ratio };
}

function report(results, actions, memory, server) {
  const ways = [...new Set(results.flatMap(({ rates }) => Object.keys(rates)))];
  printTable(
    `Sessions per second: medians of ${ROUNDS} interleaved rounds (least–most)`,
    ['', ...ways, 'batch / bare loop'],
    results.map(({ name, rates, ratio }) => [
      name,
      ...ways.map((way) => (rates[way] ? inWords(rates[way]) : '–')),
      inWords(ratio),
    ]),
  );
  const targets = [
    ...results.map(({ name, target, ratio }) => ({
      what: `batch / bare loop, ${name}`,
      target: `at least ${target}`,
      measured: String(ratio.median),
      met: ratio.median >= target,
    })),
    { what: 'billable actions per session', target: 'at most 0.02', measured: String(actions), met: actions <= 0.02 },
  ];
  const settings = { rounds: ROUNDS, sessions: SESSIONS, peerSessions: PEER_SESSIONS };
  return { server, settings, results: { cases: results, billableActions: actions, workerMb: memory }, targets };
}
