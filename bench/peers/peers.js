import { bareLoop } from './bare-loop/peer.js';
import { bullmq } from './bullmq/peer.js';
import { dbos } from './dbos/peer.js';
import { ours } from './ours/peer.js';
import { pgBoss } from './pg-boss/peer.js';
import { restate } from './restate/peer.js';
import { startPostgres, startRedis, startRestate } from './stores.js';
import { temporalSample } from './temporal-sample/peer.js';

/** How long a client may take to close; one that hangs must not hold the others up. */
const CLOSE_WITHIN_MS = 10_000;

const PEERS = {
  bare: (world) => bareLoop(world),
  ours: (world) => ours(world),
  bullmq: async (world) => bullmq(world, await world.store('redis'), 'everysec'),
  'bullmq-always': async (world) => bullmq(world, await world.store('redis-always'), 'always'),
  'pg-boss': async (world) => pgBoss(world, await world.store('postgres')),
  restate: async (world) => restate(world, await world.store('restate')),
  dbos: async (world) => dbos(world, await world.store('postgres')),
  sample: (world) => temporalSample(world),
};

const STORES = {
  redis: ({ directory }) => startRedis(directory, 'everysec'),
  'redis-always': ({ directory }) => startRedis(directory, 'always'),
  postgres: () => startPostgres(),
  restate: ({ directory, incode }) => startRestate(directory, { concurrency: incode.connections }),
};

/** @param only names of peers; the bare loop is always there, since the others are measured by it */
export async function startPeers(world, only = Object.keys(PEERS)) {
  const unknown = only.filter((name) => !Object.hasOwn(PEERS, name));
  if (unknown.length > 0)
    throw new Error(`No such peer: ${unknown.join(', ')}. There are: ${Object.keys(PEERS).join(', ')}`);
  const stores = {};
  const store = async (name) => {
    stores[name] ??= await STORES[name](world);
    return stores[name];
  };
  const peers = [];
  const stop = async () => {
    for (const peer of peers) await Promise.race([peer.close(), limit()]);
    for (const one of Object.values(stores)) await one.stop();
  };
  try {
    for (const key of new Set(['bare', ...only])) peers.push({ key, ...(await PEERS[key]({ ...world, store })) });
  } catch (error) {
    await stop();
    throw error;
  }
  return { peers, stop };
}

function limit() {
  return new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
}
