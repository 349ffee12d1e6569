import { Client, Connection } from '@temporalio/client';
import { afterEach, expect, it } from 'vitest';
import { createWorker, readConfig } from '../../dist/worker.js';
import { completeBatch, OnboardingClient } from '../../src/client/index.js';
import { type LocalTemporalServer, startIncodeSimulator } from '../../src/testing/index.js';
import { all } from '../support/batch.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

const PER_SECOND = 40;
const WORKERS = 3;

/** Three workers that take no account of each other send 120. The rest is for a machine that delays requests, which then arrive together. */
const MAX_IN_ANY_SECOND = 75;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** With four partitions of each task queue, as on every cluster by default. */
async function startServer(): Promise<LocalTemporalServer> {
  const names = ['matching.numTaskqueueReadPartitions', 'matching.numTaskqueueWritePartitions'];
  const server = await startNewServer({ dynamicConfig: Object.fromEntries(names.map((name) => [name, '4'])) });
  stops.push(() => server.kill());
  return server;
}

it('workers keep to their rate limit on a server that divides it among partitions', async () => {
  const server = await startServer();
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  stops.push(() => simulator.close());
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: API_KEY,
    INCODE_RATE_LIMIT: String(PER_SECOND),
    INCODE_BULK_SHARE: '1',
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: server.namespace,
  };
  for (let worker = 0; worker < WORKERS; worker += 1) {
    const started = await createWorker(readConfig(env));
    const running = started.run();
    stops.push(async () => {
      started.shutdown();
      await running;
    });
  }
  const connection = await Connection.connect({ address: server.address });
  stops.push(() => connection.close());
  const onboarding = new OnboardingClient({ client: new Client({ connection, namespace: server.namespace }) });
  const sessions = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const { interviewId, token } = await simulator.openSession();
      return { interviewId, sessionToken: token };
    }),
  );
  const plan = { score: false };
  const items = await all(completeBatch(onboarding, sessions, { batchId: 'partitions', shardSize: 20, plan }));
  expect(items.filter(({ outcome }) => outcome === undefined)).toEqual([]);
  expect(mostInAnySecond(simulator.calls.map(({ at }) => at))).toBeLessThan(MAX_IN_ANY_SECOND);
});

/** The most requests that arrived within 1,000 ms, wherever these begin. */
function mostInAnySecond(times: number[]): number {
  let begin = 0;
  let most = 0;
  for (const [end, at] of times.entries()) {
    while (at - (times[begin] as number) >= 1_000) begin += 1;
    most = Math.max(most, end - begin + 1);
  }
  return most;
}
