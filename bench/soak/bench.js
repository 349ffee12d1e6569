import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printTable, savePlot, say } from '../lib/report.js';
import { median, percentile, rounded } from '../lib/statistics.js';
import { timePlot } from '../lib/time-plot.js';
import { startIncodeAndWorker, startReceiver, startServer } from '../lib/world.js';
import { BATCH, load, RATES } from './load.js';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10);
/** Caches fill, the heap finds its size. */
const WARM_UP_SHARE = 0.3;
/** Of the medians of the first and the last third after it: more is growth, less is how garbage happens to be collected. */
const FLAT = { memoryMb: 1.1, sockets: 1.1 };
/** The delay of most seconds is next to nothing, so a ratio of it says nothing. */
const MOST_DELAY_GROWTH_MS = 10;
const FIGURES = {
  memoryMb: ['Resident memory', 'MB'],
  sockets: ['Sockets', 'open'],
  delayMs: ['Event-loop delay', 'ms, p99 of each second'],
};
const SECRET = randomBytes(16).toString('hex');
const PROBE = fileURLToPath(new URL('probe.js', import.meta.url));

/**
 * Hours of a usual load within minutes: sessions, webhooks, batches, and a bit of every trouble. What worker and receiver hold
 * on to must not grow. A worker that caches fewer workflows than come by has all of its caches full after the warm-up.
 */
export async function run() {
  const world = await startServer();
  try {
    const files = {
      worker: join(world.directory, 'worker.ndjson'),
      receiver: join(world.directory, 'receiver.ndjson'),
    };
    const probed = (file) => ({ NODE_OPTIONS: `--import=${PROBE}`, SOAK_PROBE: file });
    const { simulator } = await startIncodeAndWorker(world, {
      env: { ...probed(files.worker), WORKER_MAX_CACHED_WORKFLOWS: '100' },
    });
    const receiver = await startReceiver(world, SECRET, probed(files.receiver));
    const startedAt = Date.now();
    const endsAt = startedAt + MINUTES * 60_000;
    const deliver = async (body) => {
      const headers = { 'content-type': 'application/json', 'x-webhook-secret': SECRET };
      const response = await fetch(receiver.url, { method: 'POST', headers, body: JSON.stringify(body) });
      await response.arrayBuffer();
      return response.status;
    };
    const told = setInterval(() => say(`${Math.max(0, Math.round((endsAt - Date.now()) / 1_000))} s left`), 60_000);
    const { ended, problems } = await load({ ...world, simulator, deliver }, () => Date.now() > endsAt);
    clearInterval(told);
    return await report({ files, startedAt, endsAt, ended, problems, server: world.server });
  } finally {
    await world.stop();
  }
}

async function report({ files, startedAt, endsAt, ended, problems, server }) {
  const samples = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [
      name,
      linesOf(file).filter(({ at }) => at >= startedAt && at <= endsAt),
    ]),
  );
  const rows = Object.entries(samples).flatMap(([process, lines]) =>
    Object.keys(FIGURES).map((figure) => ({ process, figure, ...growth(lines.map((line) => line[figure])) })),
  );
  printTable(
    `${MINUTES} minutes: medians of the first and the last third after the warm-up`,
    ['process', 'figure', 'first', 'last', 'highest'],
    rows.map(({ process, figure, first, last, highest }) => [
      process,
      FIGURES[figure].join(', '),
      first,
      last,
      highest,
    ]),
  );
  printTable(
    'What ended, and how',
    ['load', 'sessions', 'outcomes'],
    Object.entries(ended).map(([kind, outcomes]) => [
      kind,
      Object.values(outcomes).reduce((sum, n) => sum + n, 0),
      JSON.stringify(outcomes),
    ]),
  );
  for (const problem of problems.slice(0, 10)) say(problem);
  await savePlot('soak', plotOf(samples, startedAt));
  return {
    server: { version: server.version, source: server.source },
    settings: { MINUTES, RATES, BATCH, WARM_UP_SHARE },
    results: { rows, ended, problems: problems.length, plot: 'soak.svg' },
    targets: [
      ...rows.map(targetOf),
      { what: 'calls that failed', target: 'none', measured: `${problems.length}`, met: problems.length === 0 },
    ],
  };
}

function linesOf(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

function growth(values) {
  const after = values.slice(Math.floor(values.length * WARM_UP_SHARE));
  const third = Math.floor(after.length / 3);
  return {
    first: rounded(median(after.slice(0, third))),
    last: rounded(median(after.slice(-third))),
    highest: rounded(percentile(values, 1)),
  };
}

function targetOf({ process, figure, first, last }) {
  const what = `${process}: ${FIGURES[figure][0].toLowerCase()}`;
  const measured = `${first}, then ${last}`;
  if (figure === 'delayMs')
    return {
      what,
      target: `at most ${MOST_DELAY_GROWTH_MS} ms more`,
      measured,
      met: last <= first + MOST_DELAY_GROWTH_MS,
    };
  return { what, target: `at most ${FLAT[figure]} times`, measured, met: last <= first * FLAT[figure] };
}

function plotOf(samples, startedAt) {
  const panels = Object.entries(FIGURES).map(([figure, [title, unit]]) => ({
    title,
    unit,
    series: Object.fromEntries(
      Object.entries(samples).map(([name, lines]) => [
        name,
        lines.map((line) => [(line.at - startedAt) / 1_000, line[figure]]),
      ]),
    ),
  }));
  return timePlot(`Worker and receiver over ${MINUTES} minutes`, panels);
}
