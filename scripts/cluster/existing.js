import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../dist/contract/index.js';
import { channelArgsFor } from '../../dist/temporal/address.js';
import { loadTemporalConfig } from '../../dist/temporal/environment.js';
import { searchAttributesOf } from '../../dist/worker/search-attributes.js';

const RETENTION_DAYS = 1;
const WITHIN_MS = 60_000;
/** The frontends of a cluster read the list of namespaces only every few seconds. */
const AGAIN_MS = 500;
/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;
/** gRPC's code. */
const ALREADY_EXISTS = 6;

/** @returns the variables that name a Temporal server and its credentials */
export function temporalVariables(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('TEMPORAL_') && !OTHER.test(name) && value),
  );
}

/** Variables that have nothing to do with reaching a server. */
const OTHER = /^TEMPORAL_(INCODE_|CLI_PATH|SERVER_PATH|WORKER_|DEPLOYMENT_)/;

/** Connects with Temporal's own variables. @throws Error that names the address */
export async function connectExisting(env) {
  const { address, tls, apiKey } = loadTemporalConfig(env).connectionOptions;
  try {
    return await Connection.connect({
      address,
      connectTimeout: '10s',
      channelArgs: channelArgsFor(address),
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey: typeof apiKey === 'string' ? () => apiKey : apiKey }),
    });
  } catch (error) {
    throw new Error(`No Temporal server answers at ${address}: ${error.message}`);
  }
}

/**
 * Registers a namespace with the search attributes of this package, and waits until every node knows them.
 *
 * @returns the server's version
 */
export async function prepareNamespace(connection, namespace) {
  const { workflowService, operatorService } = connection;
  const workflowExecutionRetentionPeriod = { seconds: RETENTION_DAYS * 24 * 3_600 };
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod }).catch((error) => {
    if (error.code !== ALREADY_EXISTS) throw error;
  });
  const names = Object.values(SEARCH_ATTRIBUTES);
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    try {
      const { missing } = await searchAttributesOf(connection, namespace);
      if (missing.length > 0) {
        const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
        await operatorService.addSearchAttributes({ namespace, searchAttributes });
      }
      // Fails until visibility knows the attributes.
      for (const name of names) {
        await workflowService.countWorkflowExecutions({ namespace, query: `${name} = 'any'` });
      }
      return (await workflowService.getSystemInfo({})).serverVersion;
    } catch (error) {
      if (Date.now() > until) throw new Error(`Namespace ${namespace} cannot be used: ${error.message}`);
      await sleep(AGAIN_MS);
    }
  }
}
