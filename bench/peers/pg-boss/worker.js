import PgBoss from 'pg-boss';
import { finisher } from '../finish.js';

const { url, queue, incode } = JSON.parse(process.argv[2]);
const finish = finisher(incode);
const boss = new PgBoss({ connectionString: url, max: 20 });
boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
await boss.start();

/** Jobs fetched and completed at a time: a query for each would be most of the work. */
const BATCH = 64;
let isRunning = true;
const lane = async () => {
  while (isRunning) {
    const jobs = await boss.fetch(queue, { batchSize: BATCH });
    if (jobs.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const done = await Promise.allSettled(jobs.map(({ data }) => finish(data)));
    await Promise.all(
      jobs.map(({ id }, at) =>
        done[at].status === 'fulfilled'
          ? boss.complete(queue, id, done[at].value)
          : boss.fail(queue, id, { message: done[at].reason.message }),
      ),
    );
  }
};
// Two batches at a time: while one is being stored, the other keeps the connections busy.
const lanes = [lane(), lane()];
process.on('SIGTERM', async () => {
  isRunning = false;
  await Promise.all(lanes);
  await boss.stop({ graceful: false });
  process.exit();
});
process.send('ready');
