import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { checkInterviewId } from '../../src/contract/index.js';
import { activityRefusal, guarded, wrongStage } from '../../src/workflows/failures.js';
import type { Session } from '../../src/workflows/session.js';

const failed = (cause?: Error) =>
  new ActivityFailure('failed', 'finishStatus', '1', 'NON_RETRYABLE_FAILURE', 'me', cause);
const refusal = (...details: unknown[]) => ApplicationFailure.create({ type: 'IncodeBadRequest', details });

describe('activityRefusal', () => {
  it.each([
    ['with the time of the last request', [{ lastSentAt: 7 }], 7],
    ['without the time of a request', [{}], undefined],
    ['without details', [], undefined],
  ])('returns the failure of an activity %s', (_, details, lastSentAt) => {
    const failure = refusal(...details);
    expect(activityRefusal(failed(failure))).toEqual({ failure, lastSentAt });
  });

  it.each([failed(new CancelledFailure('c')), failed(), refusal(), new Error('other'), undefined])(
    'is undefined for %s',
    (error) => {
      expect(activityRefusal(error)).toBeUndefined();
    },
  );
});

describe('guarded', () => {
  it('returns the result of the check', () => {
    expect(guarded(() => 5)).toBe(5);
  });

  it('turns an InvalidInputError into an ApplicationFailure with its field', () => {
    expect(() => guarded(() => checkInterviewId(''))).toThrow(
      expect.objectContaining({ type: 'InvalidInput', nonRetryable: true, details: [{ field: 'interviewId' }] }),
    );
    expect(() => guarded(() => checkInterviewId(''))).toThrow(ApplicationFailure);
  });

  it('rethrows other errors, for which the workflow task is retried', () => {
    const bug = new TypeError('x is undefined');
    expect(() =>
      guarded(() => {
        throw bug;
      }),
    ).toThrow(bug);
  });
});

it('wrongStage names the session and its stage', () => {
  const session = { stage: 'done', input: { interviewId: 'i' } } as Session;
  expect(wrongStage(session, 'it needs no token')).toMatchObject({
    type: 'WrongStage',
    message: 'Session i is in the stage done: it needs no token',
    nonRetryable: true,
    details: [{ interviewId: 'i', stage: 'done' }],
  });
});
