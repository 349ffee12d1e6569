import { say } from '../lib/report.js';
import { bareLoop } from './bare-loop/peer.js';
import { bullmq } from './bullmq/peer.js';
import { dbos } from './dbos/peer.js';
import { ours } from './ours/peer.js';
import { pgBoss } from './pg-boss/peer.js';
import { restate } from './restate/peer.js';
import { startPostgres, startRedis, startRestate } from './stores.js';
import { startFlushedTemporal } from './temporal-flushed.js';
import { temporalSample } from './temporal-sample/peer.js';

/** How long a client may take to close; one that hangs must not hold the others up. */
const CLOSE_WITHIN_MS = 10_000;

const PEERS = {
  bare: (world) => bareLoop(world),
  ours: (world) => ours(world),
  'ours-flushed': async (world) => ours({ ...world, temporal: await world.store('temporal-flushed') }, true),
  bullmq: async (world) => bullmq(world, await world.store('redis'), 'everysec'),
  'bullmq-always': async (world) => bullmq(world, await world.store('redis-always'), 'always'),
  'pg-boss': async (world) => pgBoss(world, await world.store('postgres')),
  restate: async (world) => restate(world, await world.store('restate')),
  dbos: async (world) => dbos(world, await world.store('postgres')),
  sample: (world) => temporalSample(world),
};

const STORES = {
  'temporal-flushed': ({ directory }) => startFlushedTemporal(directory),
  redis: ({ directory }) => startRedis(directory, 'everysec'),
  'redis-always': ({ directory }) => startRedis(directory, 'always'),
  postgres: () => startPostgres(),
  restate: ({ directory, incode }) => startRestate(directory, { concurrency: incode.connections }),
};

/** Before anything is started. */
export function checkNames(only = []) {
  const unknown = only.filter((name) => !Object.hasOwn(PEERS, name));
  if (unknown.length > 0)
    throw new Error(`No such peer: ${unknown.join(', ')}. There are: ${Object.keys(PEERS).join(', ')}`);
}

/**
 * All end with the Temporal server, whatever has been started until then.
 *
 * @param only names of peers; the bare loop is always there, since the others are measured by it
 */
export async function startPeers(world, only = Object.keys(PEERS)) {
  const stores = {};
  const store = async (name) => {
    if (!stores[name]) {
      stores[name] = await STORES[name](world);
      world.temporal.stops.push(() => stores[name].stop());
    }
    return stores[name];
  };
  const peers = [];
  for (const key of new Set(['bare', ...only])) {
    const peer = await PEERS[key]({ ...world, store });
    // Added after its store, so it is closed before.
    world.temporal.stops.push(() =>
      Promise.race([peer.close(), limit()]).catch(({ message }) => say(`${peer.name}: ${message}`)),
    );
    peers.push({ key, ...peer });
  }
  return peers;
}

function limit() {
  return new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
}
