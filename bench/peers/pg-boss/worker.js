import PgBoss from 'pg-boss';
import { finisher } from '../finish.js';

const { url, queue, incode } = JSON.parse(process.argv[2]);
const finish = finisher(incode);
const boss = new PgBoss({ connectionString: url, max: 20 });
boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
await boss.start();

/** Jobs fetched at a time: a query for each would be most of the work. */
const BATCH = 64;
const fetched = [];
let fetching;
let isRunning = true;

/** While fewer than a batch wait, the next one is on its way, so that no connection waits for a query. */
const next = async () => {
  while (isRunning) {
    if (fetched.length < BATCH) fetching ??= fetchBatch();
    if (fetched.length > 0) return fetched.shift();
    await fetching;
  }
};
const fetchBatch = async () => {
  const jobs = await boss.fetch(queue, { batchSize: BATCH });
  fetched.push(...jobs);
  if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  fetching = undefined;
};

/** Each job is completed as soon as its call ends. */
const lane = async () => {
  for (let job = await next(); job; job = await next()) {
    const { id, data } = job;
    await finish(data).then(
      (result) => boss.complete(queue, id, result),
      (error) => boss.fail(queue, id, { message: error.message }),
    );
  }
};
const lanes = Array.from({ length: incode.connections }, lane);
process.on('SIGTERM', async () => {
  isRunning = false;
  await Promise.all(lanes);
  await boss.stop({ graceful: false });
  process.exit();
});
process.send('ready');
