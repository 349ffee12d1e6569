import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { printTable, say } from '../lib/report.js';
import { inWords, withSpread } from '../lib/statistics.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROUNDS = 21;
const TARGET_MS = 500;

const OURS = 'temporal-incode/client';
/** What it is compared with: it is most of what ours loads. */
const SDK = '@temporalio/client';
const ENTRIES = [OURS, SDK, 'temporal-incode/contract'];

const PROGRAM = `
const before = process.cpuUsage();
const startedAt = performance.now();
await import(process.argv[1]);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ wall: performance.now() - startedAt, cpu: (user + system) / 1000 }));
`;

/** What a service waits for when it starts: each entry in fresh processes, in turns. */
export async function run() {
  const taken = ENTRIES.map(() => ({ wall: [], cpu: [] }));
  // The first one reads from the disk.
  for (const entry of ENTRIES) await load(entry);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, entry] of ENTRIES.entries()) {
      const { wall, cpu } = await load(entry);
      taken[at].wall.push(wall);
      taken[at].cpu.push(cpu);
    }
    say(`Round ${round + 1} of ${ROUNDS}`);
  }
  const results = Object.fromEntries(
    ENTRIES.map((entry, at) => [entry, { wallMs: withSpread(taken[at].wall, 0), cpuMs: withSpread(taken[at].cpu, 0) }]),
  );
  printTable(
    'Importing, in fresh processes',
    ['entry', 'ms', 'ms of processors'],
    Object.entries(results).map(([entry, { wallMs, cpuMs }]) => [entry, inWords(wallMs), inWords(cpuMs)]),
  );
  const { median } = results[OURS].wallMs;
  const targets = [
    { what: `importing ${OURS}`, target: `${TARGET_MS} ms`, measured: `${median} ms`, met: median <= TARGET_MS },
  ];
  return { settings: { ROUNDS }, results, targets };
}

async function load(entry) {
  // In the checkout the package finds itself by its name.
  const args = ['--input-type=module', '--eval', PROGRAM, entry];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout);
}
