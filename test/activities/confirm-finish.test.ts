import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { CompleteManyResult } from '../../src/activities/batch/types.js';
import { createBulkActivities, createIncodeActivities } from '../../src/activities/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { type IncodeClient, IncodeError, type IncodeErrorKind } from '../../src/incode/index.js';

let opened = 0;

/** A new session with a token that names none. */
const newSession = () => ({ interviewId: `unproven-${++opened}`, sessionToken: 'opaque' });

/** An Incode that accepts the finish, and then fails the read of the status by id. */
function incodeThatFailsToConfirm(kind: IncodeErrorKind): IncodeClient {
  let isFinished = false;
  return {
    onboardingStatus: async () => {
      if (isFinished) throw new IncodeError({ kind, operation: 'onboardingStatus', what: 'failed' });
      return { onboardingStatus: 'UNKNOWN' };
    },
    finishStatus: async () => {
      isFinished = true;
      return { action: 'approved', redirectionUrl: null };
    },
  } as unknown as IncodeClient;
}

async function finishSingle(kind: IncodeErrorKind): Promise<unknown> {
  const { finishStatus } = createIncodeActivities({ incode: incodeThatFailsToConfirm(kind) });
  return new MockActivityEnvironment().run(finishStatus, newSession());
}

async function finishInBatch(kind: IncodeErrorKind): Promise<CompleteManyResult> {
  const { completeMany } = createBulkActivities({ incode: incodeThatFailsToConfirm(kind) });
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  return new MockActivityEnvironment().run(completeMany, { sessions: [{ index: 0, ...newSession() }], plan });
}

const finish = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' };

describe('a finish with a token that may belong to another session', () => {
  it.each(['notTaken', 'resultUnknown', 'maybeRunning', 'apiKeyRefused', 'misconfigured'] as const)(
    'is confirmed later if the read of the status fails with %s',
    async (kind) => {
      expect(await finishSingle(kind)).toMatchObject({ finish, toBeConfirmed: true });
      const { ended, open } = await finishInBatch(kind);
      expect(ended).toEqual([]);
      const [[, progress] = []] = open;
      expect(progress).toMatchObject({ finish, confirmBy: expect.any(Number) });
    },
  );

  it.each(['tokenRefused', 'badRequest', 'unknownSession'] as const)(
    'counts if Incode refuses the read of the status for good with %s',
    async (kind) => {
      expect(await finishSingle(kind)).toEqual({ finish, onboardingStatus: 'ONBOARDING_FINISHED' });
      expect((await finishInBatch(kind)).ended).toMatchObject([[0, { finish }]]);
    },
  );

  it('is confirmed by a retry of confirmFinish after a read that failed', async () => {
    const incode = incodeThatFailsToConfirm('notTaken');
    const session = newSession();
    const { finishStatus, confirmFinish } = createIncodeActivities({ incode });
    await new MockActivityEnvironment().run(finishStatus, session);
    const confirming = new MockActivityEnvironment().run(confirmFinish, { ...session, finish: null });
    await expect(confirming).rejects.toMatchObject({ type: FAILURES.notTaken, nonRetryable: false });
  });
});
