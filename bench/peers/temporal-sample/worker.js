import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { finisher } from '../finish.js';

const { address, taskQueue, incode } = JSON.parse(process.argv[2]);
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
  activities: { finish: finisher(incode) },
});
process.send('ready');
await worker.run();
process.exit();
