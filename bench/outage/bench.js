import { completeBatch } from '../../dist/client/index.js';
import { printTable, say } from '../lib/report.js';
import { rounded } from '../lib/statistics.js';
import { sleep, startIncodeAndWorker, startServer, until } from '../lib/world.js';

/**
 * As in a night. What an outage costs does not depend on it: each connection has a call under way, which is answered 503, and its
 * session is looked at before it is finished. With 64 connections that is 2 % of 5,000 sessions, and 0.4 % of these.
 */
const SESSIONS = 50_000;
const OUTAGE_MS = 600_000;
const TARGET_EXTRA = 0.01;

/** Slow enough that the outage comes in the middle. */
const LATENCY_MS = 20;

/** Incode answers 503 to everything for ten minutes in the middle of a batch. */
export async function run() {
  const world = await startServer();
  try {
    const { simulator } = await startIncodeAndWorker(world, { simulator: { latencyMs: LATENCY_MS } });
    const sessions = [];
    for (let i = 0; i < SESSIONS; i++) {
      const { interviewId, token } = await simulator.openSession();
      sessions.push({ interviewId, sessionToken: token });
    }
    const begun = performance.now();
    const seconds = () => rounded((performance.now() - begun) / 1_000);
    const completing = complete(world, sessions);
    const calls = () => simulator.counts.finishStatus ?? 0;
    await until(() => calls() >= SESSIONS / 2, 'The middle');
    simulator.fault({ kind: 'status', status: 503, times: null });
    const before = total(simulator.counts);
    say(`Incode is away after ${seconds()} s and ${before} calls`);
    await sleep(OUTAGE_MS);
    const during = total(simulator.counts) - before;
    simulator.clearFaults();
    say(`and back after ${seconds()} s; ${during} calls meanwhile`);
    const back = performance.now();
    const approved = await completing;
    const afterSeconds = rounded((performance.now() - back) / 1_000);
    const times = sessions.map(({ interviewId }) => simulator.effects(interviewId).finished);
    const once = times.filter((finished) => finished === 1).length;
    const extra = rounded((total(simulator.counts) - SESSIONS) / SESSIONS, 4);
    printTable(
      `${SESSIONS} sessions, Incode away for ${OUTAGE_MS / 60_000} minutes`,
      ['approved', 'finished once', 'calls meanwhile', 'extra calls', 'done after Incode was back'],
      [[approved, once, during, `${rounded(extra * 100)} %`, `${afterSeconds} s`]],
    );
    const { version, source } = world.server;
    return {
      server: { version, source },
      settings: { SESSIONS, OUTAGE_MS, LATENCY_MS },
      results: { approved, once, during, extra, afterSeconds },
      targets: [
        {
          what: 'sessions completed, each finished once',
          target: `${SESSIONS}`,
          measured: `${approved}, ${once}`,
          met: approved === SESSIONS && once === SESSIONS,
        },
        {
          what: 'extra calls',
          target: `under ${TARGET_EXTRA * 100} %`,
          measured: `${rounded(extra * 100)} %`,
          met: extra < TARGET_EXTRA,
        },
      ],
    };
  } finally {
    await world.stop();
  }
}

async function complete({ onboarding }, sessions) {
  let approved = 0;
  for await (const { outcome } of completeBatch(onboarding, sessions, {
    plan: { score: false },
    verifyFirst: 'trust',
  })) {
    if (outcome === 'approved') approved += 1;
  }
  return approved;
}

/** Of every kind: statuses that are read first are extra calls too. */
function total(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
