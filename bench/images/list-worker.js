// Runs the workflow of `list-workflow.js` in a separate process.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadTemporalConfig } from '../../dist/temporal/environment.js';

Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } });
const { connectionOptions, namespace } = loadTemporalConfig();
const worker = await Worker.create({
  connection: await NativeConnection.connect(connectionOptions),
  namespace,
  taskQueue: 'incode-onboarding',
  workflowsPath: fileURLToPath(new URL('list-workflow.js', import.meta.url)),
});
process.send('ready');
await worker.run();
