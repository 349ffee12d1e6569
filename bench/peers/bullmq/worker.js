import { Worker } from 'bullmq';
import { finisher } from '../finish.js';

const { queue, connection, incode } = JSON.parse(process.argv[2]);
const finish = finisher(incode);
const worker = new Worker(queue, ({ data }) => finish(data), { connection, concurrency: incode.connections });
// Lost connections are its own affair.
worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
await worker.waitUntilReady();
process.on('SIGTERM', async () => {
  await worker.close();
  process.exit();
});
process.send('ready');
