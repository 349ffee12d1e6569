import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.js';
import { isInconclusive } from './once.js';
import { report } from './report.js';

// `npm run faults -- --seed S --minutes M`: see docs/faults.md.

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    address: { type: 'string' },
    'per-second': { type: 'string' },
    'upgrade-from': { type: 'string' },
  },
});
if (values.cluster && values.address !== undefined) throw new Error('--cluster and --address exclude each other');
if (values['upgrade-from'] !== undefined && !values.cluster) throw new Error('--upgrade-from needs --cluster');
const server = values.cluster ? 'cluster' : values.address === undefined ? 'local' : 'existing';
if (values.address !== undefined) process.env.TEMPORAL_ADDRESS = values.address;
/** A session costs a cluster more processor time, and faults of its nodes stop everything for longer. */
const PER_SECOND = { local: 5, cluster: 2, existing: 2 };
const PEOPLE_PER_SESSION = 0.16;
const DEFAULT_SECONDS = { local: 30, cluster: 600, existing: 30 };
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed);
const seconds =
  values.minutes === undefined ? Number(values.seconds ?? DEFAULT_SECONDS[server]) : Number(values.minutes) * 60;
if (!Number.isSafeInteger(seed) || !(seconds > 0))
  throw new Error('--seed is a whole number, --minutes or --seconds more than 0');

const perSecond = values['per-second'] === undefined ? PER_SECOND[server] : Number(values['per-second']);
if (!(perSecond > 0)) throw new Error('--per-second is more than 0');

/** Time to write the report. */
const EXIT_AFTER_MS = 5_000;

const file = join(tmpdir(), `temporal-incode-faults-${seed}.ndjson`);
const actions = createWriteStream(file);
process.stderr.write(`Seed ${seed}, ${seconds} s, ${perSecond} sessions per second. What is done: ${file}\n`);
// Every running program adds a listener, so that it is killed with this process.
process.setMaxListeners(0);
let isUnhandled = false;
process.on('unhandledRejection', (error) => {
  isUnhandled = true;
  process.stderr.write(`Unhandled: ${error instanceof Error ? error.stack : error}\n`);
});
const peoplePerSecond = perSecond * PEOPLE_PER_SESSION;
const campaign = await runCampaign(
  { seed, seconds, server, perSecond, peoplePerSecond, upgradeFrom: values['upgrade-from'] },
  (entry) => actions.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`),
);
actions.end();
process.stdout.write(`${report(campaign)}\n`);
const doubts = [
  ...(isInconclusive(campaign.evidence)
    ? ['this machine stood still too often: run the campaign on an idle machine']
    : []),
  ...(campaign.taken === 0 ? ['no webhook was taken; let it last longer'] : []),
];
for (const doubt of doubts) process.stdout.write(`Inconclusive: ${doubt}.\n`);
process.exitCode = campaign.violations.length > 0 || doubts.length > 0 || isUnhandled ? 1 : 0;
// Connections of killed processes may be left, which would keep this one running.
setTimeout(() => process.exit(), EXIT_AFTER_MS).unref();
