import { DBOS } from '@dbos-inc/dbos-sdk';
import { finisher } from '../finish.js';

const { url, queue, incode } = JSON.parse(process.argv[2]);
const finish = finisher(incode);

async function completeSession(session) {
  return await DBOS.runStep(() => finish(session), { name: 'finish', retriesAllowed: true, maxAttempts: 10 });
}

DBOS.setConfig({ name: 'peers', systemDatabaseUrl: url, systemDatabasePoolSize: 20, logLevel: 'warn' });
DBOS.registerWorkflow(completeSession, { name: 'completeSession' });
await DBOS.launch();
// Its own default looks once a second, and takes as many as are free: with 64 connections that would be 64/s.
await DBOS.registerQueue(queue, { workerConcurrency: incode.connections, minPollingIntervalMs: 10 });
process.on('SIGTERM', async () => {
  await DBOS.shutdown();
  process.exit();
});
process.send('ready');
