import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { measureCpu, memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { inWords, percentile, rounded, withSpread } from '../lib/statistics.js';
import { forEach, sleep, startIncodeAndWorker, startReceiver, startServer, until } from '../lib/world.js';

const ROUNDS = 3;
const PER_SECOND = 200;
const OPEN_SECONDS = 30;
const CLOSED_SECONDS = 10;
/** Enough to keep everything busy, and few enough not to measure a queue of our own. */
const AT_A_TIME = 16;
/** Server and worker together; idle ones take half of it. */
const QUIET_CORES = 0.1;
const TARGET_P99_MS = 100;

/**
 * The worker keeps all the sessions that are told something, as a fleet does; 0.3 MB each. One that it does not have costs it
 * a third more time, and the server a reading of the history.
 */
const WORKER = { WORKER_MAX_CACHED_WORKFLOWS: '2000' };

const SECRET = randomBytes(16).toString('hex');

/** What a session hears until it is finished. */
const MILESTONES = [
  'ID_VALIDATION_FINISHED',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
];

/**
 * The receiver as a process, with a Temporal server, a worker and open workflows behind it. Four loads, interleaved:
 * - `steady`: 200 deliveries/s. Each is a signal that a workflow takes in; sessions stay open;
 * - `whole sessions`: 200 deliveries/s, of sessions that are completed by them: 40/s, with two calls of Incode each;
 * - `as fast as possible`: the next one when an answer comes;
 * - `worker stopped`: as `steady`, while no worker takes anything in: what receiver and server do by themselves.
 */
export async function run() {
  const world = await startServer();
  try {
    const { simulator, worker } = await startIncodeAndWorker(world, { env: WORKER });
    const receiver = await startReceiver(world, SECRET);
    const sender = fork(fileURLToPath(new URL('sender.js', import.meta.url)));
    world.stops.push(() => sender.kill());
    const pids = {
      receiver: receiver.pid,
      worker: worker.pid,
      ...world.server.pids,
      sender: sender.pid,
      incode: process.pid,
    };
    const sendAll = async (order) => {
      await quiet({ worker: worker.pid, ...world.server.pids });
      const cpuUsed = measureCpu(pids);
      sender.send({ url: receiver.url, headers: { 'x-webhook-secret': SECRET }, ...order });
      const [{ latencies, statuses, elapsedMs }] = await once(sender, 'message');
      return { ...figures(latencies, statuses, elapsedMs), cpu: cpuUsed() };
    };
    const rounds = [];
    for (let round = 1; round <= ROUNDS; round++) {
      rounds.push({
        steady: await sendAll({ deliveries: await steady(world, simulator), perSecond: PER_SECOND }),
        'whole sessions': await sendAll({ deliveries: await wholeSessions(world, simulator), perSecond: PER_SECOND }),
        'as fast as possible': await sendAll({
          deliveries: await steady(world, simulator),
          atATime: AT_A_TIME,
          seconds: CLOSED_SECONDS,
        }),
        'worker stopped': await whileStopped(worker.pid, await steady(world, simulator), (deliveries) =>
          sendAll({ deliveries, perSecond: PER_SECOND }),
        ),
      });
      say(`Round ${round} of ${ROUNDS}: ${describe(rounds.at(-1))}`);
    }
    return report(rounds, memoryMb(receiver.pid), world.server);
  } finally {
    await world.stop();
  }
}

async function whileStopped(pid, deliveries, send) {
  process.kill(pid, 'SIGSTOP');
  try {
    return await send(deliveries);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** What was begun before, such as the first workflow tasks of the sessions that were just opened, is not to be measured. */
async function quiet(pids) {
  await until(async () => {
    const cpuUsed = measureCpu(pids);
    await sleep(2_000);
    const used = cpuUsed();
    // Where nothing is known of processes, time has to do.
    if (Number.isNaN(used.others)) return sleep(30_000).then(() => true);
    const seconds = Object.keys(pids).reduce((sum, name) => sum + used[name], 0);
    return seconds / used.seconds < QUIET_CORES;
  }, 'Quiet before the deliveries');
}

/** Of as many sessions as hear one milestone after the other, in no order. */
async function steady(world, simulator) {
  const sessions = await open(world, simulator, (PER_SECOND * OPEN_SECONDS) / MILESTONES.length, 'asked');
  return MILESTONES.flatMap((onboardingStatus) =>
    shuffled(sessions).map((interviewId) => ({ interviewId, onboardingStatus })),
  );
}

/** Of sessions that come in waves: each hears something once a second, five times, and is finished on the way. */
async function wholeSessions(world, simulator) {
  const statuses = [...MILESTONES, 'ONBOARDING_FINISHED'];
  const sessions = await open(world, simulator, (PER_SECOND * OPEN_SECONDS) / statuses.length, 'processed');
  const waves = Array.from({ length: sessions.length / PER_SECOND }, (_, wave) =>
    sessions.slice(wave * PER_SECOND, (wave + 1) * PER_SECOND),
  );
  return waves.flatMap((wave) =>
    statuses.flatMap((onboardingStatus) => wave.map((interviewId) => ({ interviewId, onboardingStatus }))),
  );
}

/** @returns once all of them wait */
async function open({ onboarding }, simulator, count, finishWhen) {
  const looksBefore = simulator.counts.onboardingStatus ?? 0;
  const sessions = [];
  await forEach(Array.from({ length: count }), 50, async () => {
    const { interviewId, token } = await simulator.openSession({ processedAfterMs: null });
    await onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen } });
    sessions.push(interviewId);
  });
  if (finishWhen === 'processed') {
    await until(() => (simulator.counts.onboardingStatus ?? 0) >= looksBefore + count, 'The first poll of each');
  } else {
    // The last one to have been started tells that the worker has come to it.
    await onboarding.state(sessions.at(-1));
  }
  return sessions;
}

function shuffled(items) {
  return items
    .map((item) => [Math.random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

function figures(latencies, statuses, elapsedMs) {
  return {
    deliveries: latencies.length,
    perSecond: rounded((latencies.length * 1_000) / elapsedMs),
    p50: rounded(percentile(latencies, 0.5)),
    p99: rounded(percentile(latencies, 0.99)),
    most: rounded(Math.max(...latencies)),
    statuses,
  };
}

function describe(round) {
  return Object.entries(round)
    .map(([load, { perSecond, p50, p99 }]) => `${load} ${perSecond}/s, p50 ${p50} ms, p99 ${p99} ms`)
    .join('; ');
}

function report(rounds, { highest: receiverMb }, { version, source }) {
  const loads = Object.keys(rounds[0]);
  const of = (load, figure) => withSpread(rounds.map((round) => round[load][figure]));
  const summary = Object.fromEntries(
    loads.map((load) => [
      load,
      { perSecond: of(load, 'perSecond'), p50: of(load, 'p50'), p99: of(load, 'p99'), most: of(load, 'most') },
    ]),
  );
  printTable(
    `Deliveries, ms until the answer: median of ${ROUNDS} interleaved rounds (least–most)`,
    ['load', 'per second', 'p50', 'p99', 'longest'],
    Object.entries(summary).map(([load, row]) => [load, ...Object.values(row).map(inWords)]),
  );
  // Unlike latencies it hardly depends on what else the machine does.
  const names = Object.keys(rounds[0][loads[0]].cpu).filter((name) => name !== 'seconds');
  const share = ({ cpu }, name) => `${rounded(cpu[name] / cpu.seconds, 2)}`;
  const cost = ({ cpu, deliveries }, name) =>
    name === 'others' ? '' : ` (${rounded((cpu[name] * 1_000) / deliveries, 2)} ms)`;
  printTable(
    'Cores used in the last round (and CPU time per delivery)',
    ['load', ...names],
    loads.map((load) => [
      load,
      ...names.map((name) => share(rounds.at(-1)[load], name) + cost(rounds.at(-1)[load], name)),
    ]),
  );
  const refused = rounds.flatMap((round) =>
    Object.values(round).flatMap(({ statuses }) => Object.keys(statuses).filter((status) => status !== '200')),
  );
  // Of `whole sessions` nearly all the time goes to completing them, which is not the receiver's work.
  const targets = ['steady', 'worker stopped'].map((load) => {
    const { perSecond, p99 } = summary[load];
    return {
      what: `${PER_SECOND} deliveries/s, ${load}`,
      target: `p99 below ${TARGET_P99_MS} ms, every answer 200`,
      measured: `p99 ${inWords(p99)} ms at ${inWords(perSecond)}/s${refused.length > 0 ? `; answers ${[...new Set(refused)]}` : ''}`,
      met: p99.median < TARGET_P99_MS && refused.length === 0,
    };
  });
  return {
    server: { version, source },
    settings: { ROUNDS, PER_SECOND, OPEN_SECONDS, CLOSED_SECONDS, AT_A_TIME, WORKER, GOGC: process.env.GOGC },
    results: { summary, receiverMb, rounds },
    targets,
  };
}
