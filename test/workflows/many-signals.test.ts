import { expect, it } from 'vitest';
import { AnswerPendingError, OnboardingClient } from '../../src/client/index.js';
import { expectSound } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld } from '../support/world.js';

it('finish succeeds after 1,000 signals that waited for a worker', async () => {
  await using world = await startTestWorld();
  const { interviewId, token } = await world.simulator.openSession();
  const taskQueue = `later-${interviewId}`;
  // No worker polls this task queue yet.
  const later = new OnboardingClient({ client: world.temporal, taskQueue });
  await later.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
  for (let sent = 0; sent < 1_000; sent += 100) {
    const statuses = Array.from({ length: 100 }, (_, index) => `NOISE_${sent + index}`);
    await Promise.all(statuses.map((onboardingStatus) => later.statusChanged({ interviewId, onboardingStatus })));
  }
  expect(await thrown(later.finish({ interviewId }, { timeoutMs: 300 }))).toBeInstanceOf(AnswerPendingError);

  await using _ = await startTestWorld({ taskQueue, incode: { baseUrl: world.simulator.url } });
  // On a busy machine the signals take longer than the 30 s that finish waits by default.
  const answer = await later.finish({ interviewId }, { timeoutMs: 200_000 });
  expect(answer).toMatchObject({ action: 'approved', confirmedBy: 'response' });
  expect((await later.result(interviewId)).outcome).toBe('approved');
  await expectSound(world, interviewId);
});
