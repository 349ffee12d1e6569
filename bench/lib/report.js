import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';

const RESULTS = new URL('../results/', import.meta.url);

/** What figures depend on. The load before the run says whether the cores were shared. */
export function machineFacts() {
  const { version, dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return {
    at: new Date().toISOString(),
    package: version,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    temporalSdk: dependencies['@temporalio/client'],
    loadBefore: Number(loadavg()[0]?.toFixed(2)),
  };
}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

export function printTable(title, head, rows) {
  const colAligns = head.map((_, column) => (column === 0 ? 'left' : 'right'));
  const table = new Table({ head, colAligns, style: { head: [], border: [] } });
  table.push(...rows.map((row) => row.map(String)));
  process.stdout.write(`\n${title}\n${table.toString()}\n`);
}

/** @param targets `{what, target, measured, met}` each; none for a benchmark that only measures */
export function printTargets(targets, { cores, cpu, node, temporalServer, loadBefore }) {
  for (const { what, target, measured, met } of targets) {
    process.stdout.write(`${met ? 'met' : 'MISSED'}: ${what}: ${measured} (target: ${target})\n`);
  }
  const server = temporalServer ? `; Temporal server ${temporalServer.version} (${temporalServer.source})` : '';
  process.stdout.write(`${cores} cores (${cpu}), load ${loadBefore} before the run; Node ${node}${server}\n`);
}

export async function savePlot(name, svg) {
  await mkdir(RESULTS, { recursive: true });
  const file = new URL(`${name}.svg`, RESULTS);
  await writeFile(file, svg);
  say(`Written to ${fileURLToPath(file)}`);
}

export async function saveResults(name, results) {
  await mkdir(RESULTS, { recursive: true });
  const file = new URL(`${name}.json`, RESULTS);
  await writeFile(file, `${JSON.stringify({ benchmark: name, ...results }, null, 2)}\n`);
  say(`Written to ${fileURLToPath(file)}`);
}
