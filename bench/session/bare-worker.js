// The worker of the bare workflow, in a process of its own as ours is.
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createIncodeClient } from '../../dist/incode/index.js';
import { loadTemporalConfig } from '../../dist/temporal/environment.js';

const { INCODE_BASE_URL, INCODE_API_KEY, TASK_QUEUE } = process.env;

Runtime.install({ logger: new DefaultLogger('WARN') });
const incode = createIncodeClient({ baseUrl: INCODE_BASE_URL, apiKey: INCODE_API_KEY });
const { connectionOptions, namespace } = loadTemporalConfig();
const connection = await NativeConnection.connect(connectionOptions);
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('bare-workflow.js', import.meta.url)),
  activities: { finishStatus: (session) => incode.finishStatus(session) },
});
process.send('ready');
await worker.run();
await connection.close();
await incode.close();
process.disconnect();
