import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createIncodeActivities } from 'temporal-incode/activities';
import { createIncodeClient } from 'temporal-incode/incode';
import { checkSearchAttributes } from 'temporal-incode/worker';

const { INCODE_BASE_URL = '', INCODE_API_KEY = '', TEMPORAL_ADDRESS = 'localhost:7233' } = process.env;

/** One connection per activity, because each activity makes one call at a time. */
const CALLS_AT_A_TIME = 50;

const incode = createIncodeClient({ baseUrl: INCODE_BASE_URL, apiKey: INCODE_API_KEY, connections: CALLS_AT_A_TIME });
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
// Without the search attributes every session would get stuck at its end.
await checkSearchAttributes(connection, 'default');
const worker = await Worker.create({
  connection,
  taskQueue: 'sign-up',
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities: createIncodeActivities({ incode }),
  maxConcurrentActivityTaskExecutions: CALLS_AT_A_TIME,
  // Lets calls in flight end before the process does.
  shutdownGraceTime: '20 seconds',
});

// Until SIGTERM or SIGINT.
await worker.run();
await connection.close();
await incode.close();
