import { DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import { forEach } from '../../lib/world.js';
import { startModule } from '../child.js';
import { createDatabase } from '../pg-boss/peer.js';
import { packages } from '../versions.js';

const QUEUE = 'finish';
const DATABASE = 'dbos';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export async function dbos({ incode, directory }, postgres) {
  await createDatabase(postgres, DATABASE);
  const url = postgres.url(DATABASE);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  let client;
  return {
    name: 'DBOS',
    durability: 'PostgreSQL, fsync and synchronous_commit on',
    isFlushed: true,
    versions: { ...packages('@dbos-inc/dbos-sdk'), PostgreSQL: postgres.version },
    // It takes some five times as long.
    share: 1 / 5,
    async startWorker() {
      const worker = await startModule(new URL('worker.js', import.meta.url), { url, queue: QUEUE, incode }, directory);
      // The worker makes the tables.
      client ??= await DBOSClient.create({ systemDatabaseUrl: url, logger: quiet, applicationName: 'peers' });
      return worker;
    },
    async submit(sessions) {
      await forEach(sessions, 16, ({ interviewId, sessionToken }) =>
        client.enqueue(
          { queueName: QUEUE, workflowName: 'completeSession', workflowID: interviewId },
          { interviewId, sessionToken },
        ),
      );
    },
    async results() {
      const { rows } = await pool.query(`SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'`);
      return Number(rows[0].count);
    },
    async close() {
      await client?.destroy();
      await pool.end();
    },
  };
}
