import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  type BatchProgress,
  FAILURES,
  MAX_SHARD_SESSIONS,
} from '../../../src/contract/index.js';
import { startShard } from '../../support/batch.js';
import { startTestWorld, type TestWorld } from '../../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  // Limits that thousands of requests at once meet on a busy machine too: a request that times out loses its action.
  world = await startTestWorld({
    simulator: { timeScale: 1 },
    activities: { settleTimeMs: 60_000 },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Has 510 characters, which are 1,490 bytes. */
const LONG_URL = `https://bank.example/${'€'.repeat(489)}`;

/** The read before each finish adds nothing to an answer. */
const TRUST = { verifyFirst: 'trust' } as const;

describe('a full shard with the largest answers', () => {
  it('has a result without the redirection URLs that do not fit', async () => {
    const sessions = await world.sessions(MAX_SHARD_SESSIONS, { redirectionUrl: LONG_URL });
    const handle = await startShard(world, sessions, { ...TRUST, plan: { score: true } });
    const { rows } = await handle.result();
    expect(rows).toHaveLength(MAX_SHARD_SESSIONS);
    for (const row of rows) {
      expect(row).toMatchObject({
        outcome: 'approved',
        finish: { action: 'approved', redirectionUrl: null, redirectionUnsafe: 'tooLong' },
      });
    }
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it('answers queries and can be stopped while it waits for scores', async () => {
    const sessions = await world.sessions(MAX_SHARD_SESSIONS, {
      redirectionUrl: LONG_URL,
      action: '"'.repeat(64),
      scoreReadyAfterMs: null,
    });
    const handle = await startShard(world, sessions, { ...TRUST, plan: { score: true } });
    const progress = () => handle.query<BatchProgress>(BATCH_QUERIES.progress);
    await expect.poll(async () => (await progress()).waiting).toBe(MAX_SHARD_SESSIONS);
    await handle.signal(BATCH_SIGNALS.stop);
    const { rows } = await handle.result();
    expect(new Set(rows.map(({ failure }) => failure?.type))).toEqual(new Set([FAILURES.batchStopped]));
  });

  it('has a result with shortened texts', async () => {
    const sessions = await world.sessions(MAX_SHARD_SESSIONS, {
      redirectionUrl: LONG_URL,
      action: '"'.repeat(200),
      score: { status: '€'.repeat(300), value: '"'.repeat(300) },
    });
    const { rows } = await (
      await startShard(world, sessions, { ...TRUST, plan: { score: true, close: true } })
    ).result();
    expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['undecided']));
  });
});

it('a small shard keeps long redirection URLs', async () => {
  const sessions = await world.sessions(3, { redirectionUrl: LONG_URL });
  const { rows } = await (await startShard(world, sessions)).result();
  expect(rows.map(({ finish }) => finish?.redirectionUrl)).toEqual([LONG_URL, LONG_URL, LONG_URL]);
});
