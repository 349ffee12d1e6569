import { expect, it } from 'vitest';
import { completeBatch } from '../../../src/client/index.js';
import { all, outcomes } from '../../support/batch.js';
import { startTestWorld } from '../../support/world.js';

it('batches of one worker that share sessions and start together finish each session once', async () => {
  await using world = await startTestWorld({ simulator: { timeScale: 0.1 }, activities: { settleTimeMs: 3_500 } });
  const sessions = await world.sessions(20);
  // The answer is lost, and the effect comes after the others have read the status.
  const lost = { kind: 'reset', effect: true, effectAfterMs: 2_000 } as const;
  world.simulator.fault({ operation: 'finishStatus', interviewId: sessions[4]?.interviewId ?? '', ...lost });
  world.simulator.fault({ operation: 'finishStatus', kind: 'latency', ms: 300, times: null });
  const plan = { score: false };
  const batches = [1, 2, 3].map(() => all(completeBatch(world.onboarding, sessions, world.batch({ plan }))));
  const single = world.onboarding.start({ ...(sessions[0] ?? { interviewId: '' }), plan });
  for (const items of await Promise.all(batches)) expect(outcomes(items)).not.toContain(undefined);
  await single;
  await world.onboarding.result(sessions[0]?.interviewId ?? '');
  expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
});
