import { barPlot } from '../lib/bar-plot.js';
import { printTable, savePlot } from '../lib/report.js';
import { inWords, rounded, withSpread } from '../lib/statistics.js';

const LEAST_RATIO = 0.95;

/** @param results by peer: `{perSecond, workerMb, storeMb, kills}`; the bare loop is the first */
export async function report(results, settings, server) {
  const [bare] = results.values();
  const rows = [...results].map(
    ([{ key, name, durability, isFlushed, versions, note }, { sessions, perSecond, workerMb, storeMb, kills }]) => {
      // Of the same round, so that what else the machine did strikes both.
      const ratios = perSecond.map((rate, round) => rate / bare.perSecond[round]);
      return {
        key,
        name,
        durability,
        isFlushed,
        versions,
        note,
        sessions,
        perSecond: withSpread(perSecond, 0),
        ratio: withSpread(ratios, 2),
        workerMb: highest(workerMb),
        storeMb: highest(storeMb),
        repeated: withSpread(
          kills.map(({ repeated }) => repeated),
          0,
        ),
        lost: Math.max(...kills.map(({ lost }) => lost)),
        // Not over in time is worse than any time.
        overAfterS: withSpread(
          kills.map(({ overAfterS }) => overAfterS ?? Number.POSITIVE_INFINITY),
          0,
        ),
        kills,
      };
    },
  );
  printTable(
    `Sessions per second, ${settings.connections} connections, ${settings.latencyMs} ms: medians of ${settings.rounds} rounds (least–most)`,
    ['', 'sessions', 'per second', 'ratio', 'worker MB', 'store MB', 'repeated', 'lost', 'over after'],
    rows.map(({ name, sessions, perSecond, ratio, workerMb, storeMb, repeated, lost, overAfterS }) => [
      name,
      sessions,
      inWords(perSecond),
      inWords(ratio),
      workerMb ?? '–',
      storeMb ?? '–',
      inWords(repeated),
      lost,
      overAfterS.most === Number.POSITIVE_INFINITY ? 'not each time' : `${inWords(overAfterS)} s`,
    ]),
  );
  for (const { name, durability, versions, note } of rows) {
    const installed = Object.entries(versions).map((entry) => entry.join(' '));
    process.stdout.write(`${name}: ${[durability, installed.join(', '), note].filter(Boolean).join('; ')}\n`);
  }
  process.stdout.write(
    "store MB: since the server's start, for all who use it; not told of PostgreSQL, whose processes share memory\n",
  );
  await plot(rows, settings);
  return { server, settings, results: rows, targets: targetsOf(rows) };
}

/** @returns `null` where the system does not tell */
function highest(values) {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : null;
}

/** Of ours only. */
function targetsOf(rows) {
  const ours = rows.find(({ key }) => key === 'ours');
  if (!ours) return [];
  const { repeated, lost, overAfterS, ratio, name } = ours;
  return [
    {
      what: `${name} / bare loop`,
      target: `at least ${LEAST_RATIO}`,
      measured: String(ratio.median),
      met: ratio.median >= LEAST_RATIO,
    },
    ...firstOf(rows, ours, 'first of those that do not flush each write'),
    ...firstOf(
      rows,
      rows.find(({ key }) => key === 'ours-flushed'),
      'first of those that do',
    ),
    {
      what: `${name}, calls repeated after SIGKILL`,
      target: '0',
      measured: inWords(repeated),
      met: repeated.most === 0 && lost === 0 && overAfterS.most < Number.POSITIVE_INFINITY,
    },
  ];
}

/** Among those that promise as much after a power cut. */
function firstOf(rows, ours, what) {
  if (!ours) return [];
  const others = rows.filter(
    ({ key, isFlushed }) => key !== 'bare' && !key.startsWith('ours') && isFlushed === ours.isFlushed,
  );
  if (others.length === 0) return [];
  const best = Math.max(...others.map(({ ratio }) => ratio.median));
  const { name, ratio } = ours;
  const met = ratio.median > best;
  return [{ what: `${name}, ${what}`, target: `above ${rounded(best, 2)}`, measured: String(ratio.median), met }];
}

function plot(rows, { sessions, connections, latencyMs }) {
  // A loop that starts again from the beginning would make the others' bars invisible.
  const durable = rows.filter(({ key }) => key !== 'bare');
  const svg = barPlot(
    `Up to ${sessions} sessions, ${connections} connections, ${latencyMs} ms at Incode`,
    durable.map(({ name }) => name),
    [
      {
        title: 'ratio to a bare loop',
        values: durable.map(({ ratio }) => ratio.median),
        texts: durable.map(({ ratio }) => inWords(ratio)),
      },
      {
        title: 'calls repeated after SIGKILL',
        values: durable.map(({ repeated }) => repeated.median),
        texts: durable.map(({ repeated }) => inWords(repeated)),
      },
      {
        title: 'worker, MB',
        values: durable.map(({ workerMb }) => workerMb ?? 0),
        texts: durable.map(({ workerMb }) => String(workerMb ?? '–')),
      },
    ],
  );
  return savePlot('peers', svg);
}
