import { describe, expect, it } from 'vitest';
import { nodeConfig } from '../../scripts/cluster/node-config.js';
import { nodePorts } from '../../scripts/cluster/ports.js';

const NODES = [
  { name: 'frontend', service: 'frontend', port: 1, membershipPort: 2, httpPort: 3 },
  { name: 'history1', service: 'history', port: 4, membershipPort: 5, httpPort: 6 },
  { name: 'history2', service: 'history', port: 7, membershipPort: 8, httpPort: 9 },
  { name: 'matching', service: 'matching', port: 10, membershipPort: 11, httpPort: 12 },
  { name: 'worker', service: 'worker', port: 13, membershipPort: 14, httpPort: 15 },
];
const CERTIFICATES = { ca: 'ca.pem', node: { cert: 'node.pem', key: 'node.key' } };

function configOf(name: string, clientTls = true) {
  return nodeConfig(
    NODES.find((node) => node.name === name),
    {
      nodes: NODES,
      postgres: { port: 20, user: 'user', password: 'password' },
      certificates: CERTIFICATES,
      clientTls,
      dynamicConfigFile: 'dynamic.json',
    },
  );
}

describe('nodeConfig', () => {
  it('gives each history node its own ports, and the same databases and shards', () => {
    const [one, two] = [configOf('history1'), configOf('history2')];
    expect([one, two].map(({ services }) => services.history?.rpc.grpcPort)).toEqual([4, 7]);
    expect([one, two].map(({ services }) => services.frontend?.rpc)).toEqual([
      { grpcPort: 1, membershipPort: 2, bindOnIP: '127.0.0.1', httpPort: 3 },
      { grpcPort: 1, membershipPort: 2, bindOnIP: '127.0.0.1', httpPort: 3 },
    ]);
    expect(one.persistence).toEqual(two.persistence);
    expect(one.persistence.numHistoryShards).toBe(512);
  });

  it('demands certificates between nodes, and from clients unless they connect without TLS', () => {
    const withTls = configOf('frontend').global.tls;
    expect(withTls.internode.server.requireClientAuth).toBe(true);
    expect(withTls.frontend?.server.requireClientAuth).toBe(true);
    const { tls } = configOf('frontend', false).global;
    expect(Object.keys(tls)).toEqual(['internode']);
  });
});

describe('nodePorts', () => {
  it('gives ports that the server can store, each only once', async () => {
    const nodes = await Promise.all(Array.from({ length: 20 }, () => nodePorts()));
    const ports = nodes.flatMap((node) => Object.values(node) as number[]);
    expect(new Set(ports).size).toBe(60);
    expect(ports.filter((port) => port < 1_024 || port > 32_767)).toEqual([]);
  });
});
