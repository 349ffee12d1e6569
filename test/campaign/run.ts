import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.js';
import { isInconclusive } from './once.js';
import { report } from './report.js';

// `npm run faults -- --seed S --minutes M`: see docs/faults.md.

const { values } = parseArgs({
  options: { seed: { type: 'string' }, minutes: { type: 'string' }, seconds: { type: 'string' } },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed);
const seconds = values.minutes === undefined ? Number(values.seconds ?? 30) : Number(values.minutes) * 60;
if (!Number.isSafeInteger(seed) || !(seconds > 0))
  throw new Error('--seed is a whole number, --minutes or --seconds more than 0');

/** Time to write the report. */
const EXIT_AFTER_MS = 5_000;

const file = join(tmpdir(), `temporal-incode-faults-${seed}.ndjson`);
const actions = createWriteStream(file);
process.stderr.write(`Seed ${seed}, ${seconds} s. What is done: ${file}\n`);
// Every running program adds a listener, so that it is killed with this process.
process.setMaxListeners(0);
let isUnhandled = false;
process.on('unhandledRejection', (error) => {
  isUnhandled = true;
  process.stderr.write(`Unhandled: ${error instanceof Error ? error.stack : error}\n`);
});
const campaign = await runCampaign({ seed, seconds }, (entry) =>
  actions.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`),
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
