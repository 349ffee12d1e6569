import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';

const { TEMPORAL_ADDRESS = 'localhost:7233' } = process.env;

// This worker makes no calls to Incode: the child runs on the workers of temporal-incode.
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  taskQueue: 'sign-up',
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
});

// Until SIGTERM or SIGINT.
await worker.run();
await connection.close();
