// Runs the tests that meet a Temporal server against a cluster instead of the local server.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startCluster } from './cluster/cluster.js';

const FOLDERS = ['client', 'workflows', 'webhook', 'nexus', 'deploys', 'faults', 'worker'];

const root = fileURLToPath(new URL('..', import.meta.url));
// Some tests skip time. Everything else is as in production: four partitions of each task queue, and the default limits.
const dynamicConfig = { 'frontend.WorkflowTimeSkippingEnabled': true, 'history.timerProcessorMaxTimeShift': '100ms' };
const onProgress = (message) => process.stderr.write(`${message} …\n`);

const cluster = await startCluster({ clientTls: false, dynamicConfig, onProgress });
const names = process.argv.slice(2);
const selected = names.some((name) => !name.startsWith('-')) ? [] : FOLDERS.map((folder) => `test/${folder}/`);
const { status } = spawnSync('npx', ['vitest', 'run', ...selected, ...names], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...cluster.env },
});
await cluster.stop();
process.exitCode = status ?? 1;
