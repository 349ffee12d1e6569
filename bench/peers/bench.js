import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { shuffled } from '../lib/order.js';
import { memoryMb } from '../lib/processes.js';
import { say } from '../lib/report.js';
import { sleep, startServer, until } from '../lib/world.js';
import { install } from './install.js';
import { report } from './report.js';

const DEFAULTS = { sessions: 30_000, rounds: 3 };
const CONNECTIONS = 64;
const LATENCY_MS = 20;
const API_KEY = 'bench';

/** Of the list in which a worker is killed, one in so many is answered 503 once: repeating is a part of the job. */
const FAULT_EVERY = 50;

/** Untimed, after a worker's start: connections are made, and code is compiled. */
const WARM_UP = 1_000;

/** Of the longest list; enough that "midway" is under full load. */
const KILL_SHARE = 1 / 5;

/** Longest known way back after a kill: a minute's time-out and what is looked at every so often. */
const RECOVERY_MS = 240_000;

/**
 * The same job by what users would take instead: each gets a list of sessions, and is done when the result of each is where it is
 * kept. Handing over is a part of it.
 */
export async function run({ sessions: count = DEFAULTS.sessions, rounds = DEFAULTS.rounds, only } = {}) {
  install();
  // These need what has just been installed.
  const { checkNames, startPeers } = await import('./peers.js');
  checkNames(only);
  // The others store on disk.
  const temporal = await startServer({ onDisk: true });
  // Ends as after a run: nothing stays behind.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.once(signal, () => void temporal.stop().finally(() => process.exit(code)));
  }
  try {
    const incode = await startIncode(temporal);
    const peers = await startPeers({ ...incode, temporal, directory: temporal.directory }, only);
    const results = new Map(
      peers.map((peer) => [
        peer,
        { sessions: atLeast(count * peer.share), perSecond: [], workerMb: [], storeMb: [], kills: [] },
      ]),
    );
    for (let round = 0; round < rounds; round++) {
      for (const peer of shuffled(peers)) {
        const result = results.get(peer);
        const { perSecond, workerMb, storeMb } = await play(incode, peer, result.sessions);
        result.perSecond.push(perSecond);
        result.workerMb.push(workerMb);
        result.storeMb.push(storeMb);
        say(`round ${round + 1} of ${rounds}: ${peer.name}: ${perSecond.toFixed(0)} sessions/s`);
      }
      for (const peer of shuffled(peers)) {
        const kill = await playKill(incode, peer, atLeast(count * KILL_SHARE * peer.share));
        results.get(peer).kills.push(kill);
        say(`round ${round + 1} of ${rounds}: SIGKILL midway: ${peer.name}: ${JSON.stringify(kill)}`);
      }
    }
    const { server } = temporal;
    return await report(results, { sessions: count, rounds, connections: CONNECTIONS, latencyMs: LATENCY_MS }, server);
  } finally {
    await temporal.stop();
  }
}

function atLeast(count) {
  return Math.max(200, Math.round(count));
}

async function startIncode({ stops }) {
  const child = fork(fileURLToPath(new URL('../batch/incode.js', import.meta.url)), [API_KEY, String(LATENCY_MS)]);
  stops.push(() => child.kill());
  const [{ url }] = await once(child, 'message');
  const ask = async (message) => {
    child.send(message);
    return (await once(child, 'message'))[0];
  };
  return { incode: { url, apiKey: API_KEY, connections: CONNECTIONS }, ask };
}

async function play({ ask }, peer, count) {
  const worker = await peer.startWorker();
  try {
    await complete(ask, peer, (await ask({ open: atLeast(WARM_UP * peer.share) })).sessions);
    const { sessions } = await ask({ open: count });
    const begun = performance.now();
    await complete(ask, peer, sessions);
    const perSecond = (count / (performance.now() - begun)) * 1_000;
    const { repeated, lost } = await effects(ask, sessions);
    if (repeated + lost > 0) throw new Error(`${peer.name}: ${repeated} calls too many, ${lost} sessions not finished`);
    return { perSecond, workerMb: memoryMb(worker.pid).highest, storeMb: memoryMb(peer.storePid).highest };
  } finally {
    await worker.stop();
  }
}

/** @returns when the result of each is where it is kept */
async function complete(ask, peer, sessions, { onHalf, timeoutMs } = {}) {
  const before = { results: await peer.results(), calls: (await ask({ calls: true })).calls };
  const submitted = peer.submit(sessions);
  // It is heard below.
  submitted.catch(() => undefined);
  const called = async () => (await ask({ calls: true })).calls - before.calls;
  if (onHalf) {
    // It may well come before all are handed over.
    await until(async () => (await called()) >= sessions.length / 2, 'Half of it', timeoutMs, 10);
    await onHalf(called);
  }
  await submitted;
  // Counting results costs some of them a query; counting calls costs nobody anything.
  await until(async () => (await called()) >= sessions.length, 'The last call', timeoutMs, 20);
  const isStored = async () => (await peer.results()) - before.results >= sessions.length;
  await until(isStored, 'The last result', timeoutMs, 20);
}

/** The worker is killed, and another one is started at once. */
async function playKill({ ask }, peer, count) {
  let worker = await peer.startWorker();
  try {
    const { sessions } = await ask({ open: count, faultEvery: FAULT_EVERY });
    let killedAt;
    let calledAtKill;
    const onHalf = async (called) => {
      await worker.kill();
      killedAt = performance.now();
      calledAtKill = await called();
      worker = await peer.startWorker();
      await peer.afterKill?.(sessions);
    };
    const isOver = await complete(ask, peer, sessions, { onHalf, timeoutMs: RECOVERY_MS }).then(
      () => true,
      (error) => {
        say(`${peer.name}: ${error.message}`);
        return false;
      },
    );
    const overAfterS = isOver ? Math.round((performance.now() - killedAt) / 1_000) : null;
    // What is sent again late would be missed otherwise.
    await sleep(1_000);
    return { sessions: count, calledAtKill, ...(await effects(ask, sessions)), overAfterS };
  } finally {
    await worker.stop();
  }
}

async function effects(ask, sessions) {
  const { times } = await ask({ timesFinished: sessions.map(({ interviewId }) => interviewId) });
  return {
    repeated: times.reduce((sum, finished) => sum + Math.max(0, finished - 1), 0),
    lost: times.filter((finished) => finished === 0).length,
  };
}
