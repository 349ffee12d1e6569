import { barPlot } from '../lib/bar-plot.js';
import { printTable, savePlot } from '../lib/report.js';
import { inWords, rounded, withSpread } from '../lib/statistics.js';

const LEAST_RATIO = 0.95;

/** @param results by peer: `{perSecond, workerMb, storeMb, kill}`; the bare loop is the first */
export async function report(results, settings, server) {
  const [bare] = results.values();
  const rows = [...results].map(
    ([{ key, name, durability, versions, note }, { sessions, perSecond, workerMb, storeMb, kill }]) => {
      // Of the same round, so that what else the machine did strikes both.
      const ratios = perSecond.map((rate, round) => rate / bare.perSecond[round]);
      return {
        key,
        name,
        durability,
        versions,
        note,
        sessions,
        perSecond: withSpread(perSecond, 0),
        ratio: withSpread(ratios, 2),
        workerMb: highest(workerMb),
        storeMb: highest(storeMb),
        kill,
      };
    },
  );
  printTable(
    `Sessions per second, ${settings.connections} connections, ${settings.latencyMs} ms: medians of ${settings.rounds} rounds (least–most)`,
    ['', 'sessions', 'per second', 'ratio', 'worker MB', 'store MB', 'repeated', 'lost', 'over after'],
    rows.map(({ name, sessions, perSecond, ratio, workerMb, storeMb, kill }) => [
      name,
      sessions,
      inWords(perSecond),
      inWords(ratio),
      workerMb ?? '–',
      storeMb ?? '–',
      kill.repeated,
      kill.lost,
      kill.overAfterS === null ? 'not' : `${kill.overAfterS} s`,
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
  const others = rows.filter(({ key }) => key !== 'bare' && key !== 'ours');
  const best = Math.max(...others.map(({ ratio }) => ratio.median));
  const { kill, ratio, name } = ours;
  return [
    {
      what: `${name} / bare loop`,
      target: `at least ${LEAST_RATIO}`,
      measured: String(ratio.median),
      met: ratio.median >= LEAST_RATIO,
    },
    ...(others.length > 0
      ? [
          {
            // Some flush each write, others do not.
            what: `${name}, first of those that are durable, each in its own way (see the lines below the table)`,
            target: `above ${rounded(best, 2)}`,
            measured: String(ratio.median),
            met: ratio.median > best,
          },
        ]
      : []),
    {
      what: `${name}, calls repeated after SIGKILL`,
      target: '0',
      measured: String(kill.repeated),
      met: kill.repeated === 0 && kill.overAfterS !== null,
    },
  ];
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
        values: durable.map(({ kill }) => kill.repeated),
        texts: durable.map(({ kill }) => String(kill.repeated)),
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
