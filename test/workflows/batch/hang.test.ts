import { expect, it } from 'vitest';
import { BATCH_QUERIES, type BatchProgress } from '../../../src/contract/index.js';
import { startShard } from '../../support/batch.js';
import { startTestWorld } from '../../support/world.js';

it('a hanging call delays no other session of its shard', async () => {
  // Here Incode ends a request after 90 s, before the client's timeout.
  await using world = await startTestWorld({ simulator: { timeScale: 3 }, incode: { finishTimeoutMs: 100_000 } });
  const sessions = await world.sessions(20);
  const [hanging, refused, unscored] = [3, 5, 7].map((index) => sessions[index]?.interviewId ?? '');
  world.simulator.fault({ operation: 'finishStatus', interviewId: hanging ?? '', kind: 'hang', effect: true });
  // A later activity has to continue with these sessions.
  world.simulator.fault({ operation: 'finishStatus', interviewId: refused ?? '', kind: 'status', status: 503 });
  world.simulator.fault({ operation: 'score', interviewId: unscored ?? '', kind: 'body', body: '{}' });
  const handle = await startShard(world, sessions, { plan: { score: true } });
  await expect
    .poll(async () => (await handle.query<BatchProgress>(BATCH_QUERIES.progress)).done)
    .toBeGreaterThanOrEqual(19);
  const { rows } = await handle.result();
  expect(rows.map(({ outcome }) => outcome)).toEqual(sessions.map(() => 'approved'));
  expect(rows[3]?.finish?.confirmedBy).toBe('status');
  expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
});
