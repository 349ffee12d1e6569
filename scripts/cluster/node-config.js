import { SERVER_NAME } from './certificates.js';

/** Can never be changed after the first start. Temporal's recommendation for small clusters. */
const HISTORY_SHARDS = 512;

/** The connections of each node to each database. */
const CONNECTIONS = 20;

/** @returns the configuration of one node, as JSON, which is YAML as well */
export function nodeConfig(node, { nodes, postgres, certificates, clientTls, dynamicConfigFile }) {
  const database = (databaseName) => ({
    sql: {
      pluginName: 'postgres12_pgx',
      databaseName,
      connectAddr: `127.0.0.1:${postgres.port}`,
      connectProtocol: 'tcp',
      user: postgres.user,
      password: postgres.password,
      maxConns: CONNECTIONS,
      maxIdleConns: CONNECTIONS,
      maxConnLifetime: '1h',
    },
  });
  const frontend = nodes.find(({ service }) => service === 'frontend');
  const address = `127.0.0.1:${frontend.port}`;
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: { default: database('temporal'), visibility: database('temporal_visibility') },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' },
      tls: tls(certificates, clientTls),
    },
    services: Object.fromEntries(
      // A node knows its own ports, and those of one node of each other service.
      ['frontend', 'matching', 'history', 'worker'].map((service) => {
        const one = node.service === service ? node : nodes.find((other) => other.service === service);
        const http = service === 'frontend' ? { httpPort: one.httpPort } : {};
        return [
          service,
          { rpc: { grpcPort: one.port, membershipPort: one.membershipPort, bindOnIP: '127.0.0.1', ...http } },
        ];
      }),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: address },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } },
    publicClient: { hostPort: address },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '10s' },
  };
}

function tls({ ca, node }, clientTls) {
  const server = { requireClientAuth: true, certFile: node.cert, keyFile: node.key, clientCaFiles: [ca] };
  const client = { serverName: SERVER_NAME, rootCaFiles: [ca] };
  const frontend = { server, client };
  return {
    internode: { server, client },
    ...(clientTls ? { frontend, systemWorker: { certFile: node.cert, keyFile: node.key, client } } : {}),
  };
}
