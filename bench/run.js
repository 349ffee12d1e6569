// `npm run bench -- NAME`: runs one benchmark, prints its tables, and writes bench/results/NAME.json.
import { parseArgs } from 'node:util';
import { startCluster } from '../scripts/cluster/cluster.js';
import { machineFacts, printTargets, saveResults, say } from './lib/report.js';
import { useCluster, useServer } from './lib/world.js';

const BENCHMARKS = {
  batch: () => import('./batch/bench.js'),
  webhook: () => import('./webhook/bench.js'),
  'rate-limit': () => import('./rate-limit/bench.js'),
  'open-sessions': () => import('./open-sessions/bench.js'),
  session: () => import('./session/bench.js'),
  outage: () => import('./outage/bench.js'),
  million: () => import('./million/bench.js'),
  import: () => import('./import/bench.js'),
  images: () => import('./images/bench.js'),
  people: () => import('./people/bench.js'),
  soak: () => import('./soak/bench.js'),
  peers: () => import('./peers/bench.js'),
  cluster: () => import('./cluster/bench.js'),
};

// The Temporal server shares the machine's cores with all that is measured: with Go's default of 100 a signal
// costs it 4.2 ms instead of 3.8, for more collecting of garbage. It takes up to 0.9 GB in return.
process.env.GOGC ??= '800';

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    sessions: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    address: { type: 'string' },
  },
});
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(`Usage: npm run bench -- NAME…\nNames: ${Object.keys(BENCHMARKS).join(', ')}
Of peers: --sessions N, --rounds N, --only NAME,NAME. Of people: --only memory. Of images: --only list, --sessions N (people). Of cluster: --sessions N (open at once), --rounds N
--cluster: with a Temporal cluster on this machine. --address HOST:PORT: with your own server, and TEMPORAL_TLS_…\n`);
  process.exit(2);
}
if (values.cluster && values.address !== undefined) {
  process.stderr.write('--cluster and --address exclude each other\n');
  process.exit(2);
}
for (const name of ['sessions', 'rounds']) {
  const value = values[name];
  if (value !== undefined && !(Number.isSafeInteger(Number(value)) && Number(value) > 0)) {
    process.stderr.write(`--${name} is a whole number above 0, not "${value}"\n`);
    process.exit(2);
  }
}
const options = {
  ...(values.sessions ? { sessions: Number(values.sessions) } : {}),
  ...(values.rounds ? { rounds: Number(values.rounds) } : {}),
  ...(values.only ? { only: values.only.split(',') } : {}),
};

const cluster = values.cluster ? await startCluster({ onProgress: say }) : undefined;
if (cluster) useCluster(cluster);
else if (values.address !== undefined) {
  useServer({ source: 'address', env: { ...process.env, TEMPORAL_ADDRESS: values.address }, pids: {} });
}

for (const name of names) {
  const before = machineFacts();
  const { run } = await BENCHMARKS[name]();
  const { server, settings, results, targets } = await run(options);
  const machine = { ...before, temporalServer: server };
  printTargets(targets, machine);
  await saveResults(name, { machine, settings, results, targets });
  if (targets.some(({ met }) => !met)) process.exitCode = 1;
}

await cluster?.stop();
// Clients of other makers keep a process alive after they were closed.
process.exit();
