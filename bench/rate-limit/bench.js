import { join } from 'node:path';
import { startWorkerProcess } from '../../dist/cli/local/worker-process.js';
import { completeBatch } from '../../dist/client/index.js';
import { startIncodeSimulator } from '../../dist/testing/index.js';
import { printTable, say } from '../lib/report.js';
import { rounded } from '../lib/statistics.js';
import { hasExistingServer, sleep, startServer } from '../lib/world.js';

const PER_SECOND = 100;
const BURST = 50;
const SECONDS = 60;
const WORKERS = 2;
/** Until a batch has enough activities in flight for all partitions. */
const WARM_UP_SECONDS = 15;
/** Of each task queue: as the Temporal CLI starts its server, and as every cluster does by default. */
const PARTITIONS = [1, 4];
/** With several partitions, the server cannot spread the activities evenly. */
const TARGETS = { 1: { least: 97, most: 110 }, several: { least: 90, most: 120 } };

/**
 * Two worker processes share a limit of 100 requests/s without knowing of each other, against Incode's bucket. An existing server is
 * measured with the partitions that it has.
 */
export async function run() {
  const results = [];
  let server;
  for (const partitions of hasExistingServer() ? [undefined] : PARTITIONS) {
    for (const score of [false, true]) {
      const world = await startServer({ partitions });
      ({ server } = world);
      try {
        const measured = await measure(world, score);
        const plan = score ? 'finish and score' : 'finish';
        results.push({ partitions: partitions ?? "the server's", plan, ...measured });
        say(JSON.stringify(results.at(-1)));
      } finally {
        await world.stop();
      }
    }
  }
  return report(results, server);
}

async function measure(world, score) {
  const { server, directory, stops, onboarding } = world;
  const rateLimit = { perSecond: PER_SECOND, burst: BURST };
  const simulator = await startIncodeSimulator({ apiKeys: ['bench'], latencyMs: 20, rateLimit });
  stops.push(() => simulator.close());
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: 'bench',
    INCODE_RATE_LIMIT: String(PER_SECOND),
    INCODE_BULK_SHARE: '1',
    ...server.env,
  };
  for (let index = 0; index < WORKERS; index++) {
    const worker = await startWorkerProcess(env, join(directory, `worker-${index}.log`));
    stops.push(() => worker.kill());
  }
  const sessions = [];
  for (let index = 0; index < PER_SECOND * (SECONDS + 30); index++) {
    const { interviewId, token } = await simulator.openSession();
    sessions.push({ interviewId, sessionToken: token });
  }
  const detach = new AbortController();
  const batch = completeBatch(onboarding, sessions, {
    batchId: `rate-${score}`,
    plan: { score },
    signal: detach.signal,
  });
  const iterating = batch[Symbol.asyncIterator]()
    .next()
    .catch(() => undefined);
  while (simulator.calls.length === 0) await sleep(50);
  await sleep((WARM_UP_SECONDS + SECONDS + 1) * 1_000);
  detach.abort();
  await iterating;
  return figures(simulator.calls);
}

function figures(calls) {
  const from = calls[0].at + WARM_UP_SECONDS * 1_000;
  const used = calls.filter(({ at }) => at >= from && at < from + SECONDS * 1_000).length / SECONDS;
  const seconds = new Map();
  for (const { at } of calls) {
    const second = Math.floor((at - calls[0].at) / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  let begin = 0;
  let anySecond = 0;
  for (const [end, { at }] of calls.entries()) {
    while (at - calls[begin].at >= 1_000) begin++;
    anySecond = Math.max(anySecond, end - begin + 1);
  }
  const tooMany = calls.filter(({ httpStatus }) => httpStatus === 429).length;
  return { used: rounded(used), busiestSecond: Math.max(...seconds.values()), anySecond, tooMany };
}

function report(results, server) {
  printTable(
    `${WORKERS} workers at ${PER_SECOND} requests/s together, over ${SECONDS} s; Incode's bucket has a burst of ${BURST}`,
    ['partitions', 'plan', 'requests/s / limit', 'busiest second', 'busiest 1,000 ms, wherever they begin', '429'],
    results.map(({ partitions, plan, used, busiestSecond, anySecond, tooMany }) => [
      partitions,
      plan,
      rounded(used / PER_SECOND),
      busiestSecond,
      anySecond,
      tooMany,
    ]),
  );
  const targets = results.flatMap(({ partitions, plan, used, busiestSecond, tooMany }) => {
    const { least, most } = TARGETS[partitions] ?? TARGETS.several;
    const what = `${partitions} partitions, ${plan}`;
    return [
      { what: `${what}: requests/s`, target: `at least ${least}`, measured: String(used), met: used >= least },
      {
        what: `${what}: busiest second`,
        target: `at most ${most}`,
        measured: String(busiestSecond),
        met: busiestSecond <= most,
      },
      { what: `${what}: answered 429`, target: 'none', measured: String(tooMany), met: tooMany === 0 },
    ];
  });
  return { server, settings: { workers: WORKERS, perSecond: PER_SECOND, seconds: SECONDS }, results, targets };
}
