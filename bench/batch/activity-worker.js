// The worker of `activityPerSession`, in a process of its own.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createIncodeActivities } from '../../dist/activities/index.js';
import { createIncodeClient } from '../../dist/incode/index.js';
import { loadTemporalConfig } from '../../dist/temporal/environment.js';

const [baseUrl, apiKey, taskQueue, connections] = process.argv.slice(2);
Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } });
const { connectionOptions, namespace } = loadTemporalConfig();
const connection = await NativeConnection.connect(connectionOptions);
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('activity-workflow.js', import.meta.url)),
  activities: createIncodeActivities({
    incode: createIncodeClient({ baseUrl, apiKey, connections: Number(connections) }),
  }),
  maxConcurrentActivityTaskExecutions: Number(connections),
});
process.send('ready');
await worker.run();
