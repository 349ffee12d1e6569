import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { SERVER_NAME } from './certificates.js';

const NAMESPACE = 'default';
const RETENTION_DAYS = 30;
const WITHIN_MS = 120_000;
/** gRPC's code. */
const ALREADY_EXISTS = 6;

/** Registers the namespace, and waits until every node serves it. @throws Error with the nodes' last lines */
export async function untilReady(cluster, clientTls) {
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    try {
      return await tryReady(cluster, clientTls);
    } catch (error) {
      const ended = cluster.nodeNames.filter((name) => !(name in cluster.pids));
      if (ended.length > 0) throw new Error(`${ended.join(', ')} ended:\n${cluster.lastLines(ended[0])}`);
      if (Date.now() > until) throw new Error(`The cluster does not answer: ${error.message}`);
      await sleep(300);
    }
  }
}

async function tryReady({ address, certificates }, clientTls) {
  const connection = await Connection.connect({
    address,
    connectTimeout: '5s',
    tls: clientTls ? await tlsOf(certificates) : false,
  });
  const { workflowService } = connection;
  try {
    await connection.withDeadline(Date.now() + 10_000, async () => {
      const workflowExecutionRetentionPeriod = { seconds: RETENTION_DAYS * 24 * 3_600 };
      await workflowService
        .registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod })
        .catch((error) => {
          if (error.code !== ALREADY_EXISTS) throw error;
        });
      // Asks frontend, matching, history and the database of visibility.
      await workflowService.describeTaskQueue({ namespace: NAMESPACE, taskQueue: { name: 'ready' }, taskQueueType: 1 });
      await workflowService.countWorkflowExecutions({ namespace: NAMESPACE });
      await workflowService
        .resetStickyTaskQueue({ namespace: NAMESPACE, execution: { workflowId: 'ready' } })
        .catch((error) => {
          if (error.code !== NOT_FOUND) throw error;
        });
    });
  } finally {
    await connection.close();
  }
}

/** History answers that there is no such workflow. */
const NOT_FOUND = 5;

async function tlsOf({ ca, client }) {
  const [serverRootCACertificate, crt, key] = await Promise.all(
    [ca, client.cert, client.key].map((path) => readFile(path)),
  );
  return { serverNameOverride: SERVER_NAME, serverRootCACertificate, clientCertPair: { crt, key } };
}
