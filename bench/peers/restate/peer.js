import { Pool } from 'undici';
import { forEach, freePort } from '../../lib/world.js';
import { startModule } from '../child.js';
import { packages } from '../versions.js';

export async function restate({ incode, directory }, server) {
  const port = await freePort();
  const ingress = new Pool(server.ingressUrl, { connections: 64 });
  let isRegistered = false;
  return {
    name: 'Restate',
    durability: 'Restate server, log on RocksDB with fsync',
    isFlushed: true,
    versions: { ...packages('@restatedev/restate-sdk'), 'Restate server': server.version },
    storePid: server.pid,
    // It takes some three times as long.
    share: 1 / 3,
    async startWorker() {
      const worker = await startModule(new URL('worker.js', import.meta.url), { port, incode }, directory);
      if (!isRegistered) await post(`${server.adminUrl}/deployments`, { uri: `http://127.0.0.1:${port}` });
      isRegistered = true;
      return worker;
    },
    async submit(sessions) {
      await forEach(sessions, 64, async ({ interviewId, sessionToken }) => {
        const { statusCode, body } = await ingress.request({
          path: '/sessions/complete/send',
          method: 'POST',
          // With it, the result is kept for a day.
          headers: { 'content-type': 'application/json', 'idempotency-key': interviewId },
          body: JSON.stringify({ interviewId, sessionToken }),
        });
        await body.dump();
        if (statusCode >= 300) throw new Error(`Restate answered ${statusCode}`);
      });
    },
    async results() {
      const query = `SELECT count(*) AS n FROM sys_invocation WHERE status = 'completed' AND completion_result = 'success'`;
      const { rows } = await post(`${server.adminUrl}/query`, { query });
      return rows[0].n;
    },
    close: () => ingress.close(),
  };
}

async function post(url, body) {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`Restate answered ${response.status}: ${await response.text()}`);
  return response.json();
}
