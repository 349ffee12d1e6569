import pg from 'pg';
import PgBoss from 'pg-boss';
import { startModule } from '../child.js';
import { packages } from '../versions.js';

const QUEUE = 'finish';
const DATABASE = 'pgboss';
/** A job whose worker died is taken up again after this; 15 minutes is the default. */
const EXPIRE_IN_SECONDS = 60;

export async function pgBoss({ incode, directory }, postgres) {
  await createDatabase(postgres, DATABASE);
  const url = postgres.url(DATABASE);
  const boss = new PgBoss({ connectionString: url, supervise: true, maintenanceIntervalSeconds: 10 });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue(QUEUE);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  return {
    name: 'pg-boss',
    durability: 'PostgreSQL, fsync and synchronous_commit on',
    isFlushed: true,
    versions: { ...packages('pg-boss'), PostgreSQL: postgres.version },
    note: '11 and later need Node 22',
    share: 1,
    startWorker: () => startModule(new URL('worker.js', import.meta.url), { url, queue: QUEUE, incode }, directory),
    async submit(sessions) {
      for (let at = 0; at < sessions.length; at += 1_000) {
        const retries = { retryLimit: 10, retryDelay: 1, retryBackoff: true, expireInSeconds: EXPIRE_IN_SECONDS };
        await boss.insert(sessions.slice(at, at + 1_000).map((data) => ({ name: QUEUE, data, ...retries })));
      }
    },
    async results() {
      const { rows } = await pool.query(`SELECT count(*) FROM pgboss.job WHERE name = $1 AND state = 'completed'`, [
        QUEUE,
      ]);
      return Number(rows[0].count);
    },
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
}

export async function createDatabase(postgres, name) {
  const client = new pg.Client({ connectionString: postgres.url('postgres') });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
}
