import { Queue } from 'bullmq';
import { startModule } from '../child.js';
import { packages } from '../versions.js';

const QUEUE = 'finish';
/** Its documentation adds many jobs by `addBulk`; each call is one script of so many jobs. */
const AT_A_TIME = 1_000;

export function bullmq({ incode, directory }, redis, appendfsync) {
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue(QUEUE, { connection });
  queue.on('error', () => undefined);
  return {
    name: appendfsync === 'always' ? 'BullMQ, fsync always' : 'BullMQ',
    durability: `Redis, appendonly, appendfsync ${appendfsync}${appendfsync === 'everysec' ? ': a power cut loses a second' : ''}`,
    isFlushed: appendfsync === 'always',
    versions: { ...packages('bullmq', 'ioredis'), Redis: redis.version },
    storePid: redis.pid,
    share: 1,
    startWorker: () =>
      startModule(new URL('worker.js', import.meta.url), { queue: QUEUE, connection, incode }, directory),
    async submit(sessions) {
      const opts = { attempts: 10, backoff: { type: 'exponential', delay: 1_000 } };
      for (let at = 0; at < sessions.length; at += AT_A_TIME) {
        const some = sessions.slice(at, at + AT_A_TIME);
        await queue.addBulk(some.map((data) => ({ name: 'finish', data, opts: { ...opts, jobId: data.interviewId } })));
      }
    },
    results: async () => (await queue.getJobCounts('completed')).completed,
    close: () => queue.close(),
  };
}
