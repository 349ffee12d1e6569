import { once } from 'node:events';
import { connect } from 'node:net';
import { Connection } from '@temporalio/client';
import { channelArgsFor } from '../../temporal/address.js';
import { msToTs } from '../../temporal/sdk-internals.js';

/** What tests and trials need from a server. */
export interface Needs {
  namespace: string;
  /** All of type Keyword. */
  searchAttributes: readonly string[];
  retentionDays?: number | undefined;
}

/**
 * Waits until the server answers, and sets up the namespace through the API. The server ignores the command line for a namespace that
 * the database already has.
 *
 * @returns the server's version
 */
export async function prepare(address: string, needs: Needs, timeoutMs: number): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await tryPrepare(address, needs);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function tryPrepare(address: string, needs: Needs): Promise<string> {
  const { namespace, retentionDays } = needs;
  await reach(address);
  const connection = await Connection.connect({
    address,
    connectTimeout: '1s',
    channelArgs: channelArgsFor(address),
  });
  const { operatorService, workflowService } = connection;
  try {
    return await connection.withDeadline(Date.now() + 5_000, async () => {
      await workflowService.describeNamespace({ namespace });
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      const missing = needs.searchAttributes.filter((name) => customAttributes[name] === undefined);
      // 2: INDEXED_VALUE_TYPE_KEYWORD
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, 2]));
      if (missing.length > 0) await operatorService.addSearchAttributes({ namespace, searchAttributes });
      if (retentionDays !== undefined) {
        const workflowExecutionRetentionTtl = msToTs(retentionDays * 24 * 3600_000);
        await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
      }
      return (await workflowService.getSystemInfo({})).serverVersion;
    });
  } finally {
    await connection.close();
  }
}

/** Waits for the port without gRPC, which would retry only after a second. The server starts in a third of that. */
async function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233), timeout: 1_000 });
  socket.once('timeout', () => socket.destroy(new Error(`${address} does not answer`)));
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
