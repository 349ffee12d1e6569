import { describe, expect, it } from 'vitest';
import {
  answerWorkflowId,
  batchWorkflowId,
  checkBatchId,
  checkBatchInput,
  checkBatchPlan,
  checkBatchSession,
  InvalidInputError,
  onboardingWorkflowId,
} from '../../src/contract/index.js';

function fieldOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.field;
    throw error;
  }
  return 'accepted';
}

const input = (more: object = {}) => ({ batchId: 'night-1', shard: 0, sessions: [{ interviewId: 'a' }], ...more });
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ interviewId: `i-${at}` }));

describe('checkBatchInput', () => {
  it('takes the null of other languages as absent, in sessions too', () => {
    const given = input({ plan: null, earlier: null, sessions: [{ interviewId: 'a', sessionToken: null }] });
    expect(checkBatchInput(given)).toEqual(input());
  });

  it.each([
    ['a full shard', input({ sessions: many(2_000) })],
    ['a plan', input({ plan: { close: true, score: false, scoreDeadline: '1h' } })],
    ['what happens before the first request', input({ verifyFirst: 'settle' })],
    ['true for it, as earlier versions did', input({ verifyFirst: true })],
    ['what an earlier run made of it', input({ earlier: [null] })],
  ])('takes %s', (_, given) => {
    expect(checkBatchInput(given)).toEqual(given);
  });

  it.each([
    ['no object', [], 'input'],
    ['a misspelt key', input({ sesions: [] }), 'sesions'],
    ['no id', input({ batchId: undefined }), 'batchId'],
    ['a shard before the first', input({ shard: -1 }), 'shard'],
    ['half a shard', input({ shard: 0.5 }), 'shard'],
    ['a shard in words', input({ shard: '0' }), 'shard'],
    ['no list', input({ sessions: {} }), 'sessions'],
    ['nothing to do', input({ sessions: [] }), 'sessions'],
    ['more than a shard', input({ sessions: many(2_001) }), 'sessions'],
    ['a session that is none', input({ sessions: [{ interviewId: 'a' }, 'b'] }), 'sessions[1]'],
    ['a session without an id', input({ sessions: [{ sessionToken: 't' }] }), 'sessions[0].interviewId'],
    ['a misspelt part of a session', input({ sessions: [{ interviewId: 'a', token: 't' }] }), 'sessions[0].token'],
    ['a session twice', input({ sessions: [...many(3), ...many(1)] }), 'sessions[3].interviewId'],
    ['rows that are no list', input({ earlier: 'all' }), 'earlier'],
    ['verifyFirst that is no mode', input({ verifyFirst: 'never' }), 'verifyFirst'],
    ['too few rows', input({ earlier: [] }), 'earlier'],
    ['a part of the plan that batches have not', input({ plan: { review: 'wait' } }), 'plan.review'],
    ['a plan that is no object', input({ plan: 'score' }), 'plan'],
  ])('names the field: %s', (_, given, field) => {
    expect(fieldOf(() => checkBatchInput(given))).toBe(field);
  });
});

it.each([undefined, null, {}])('a plan of %j has every default', (plan) => {
  expect(checkBatchPlan(plan)).toEqual({});
});

it('a session by itself is named by its parts alone', () => {
  expect(fieldOf(() => checkBatchSession({ interviewId: 'a b' }))).toBe('interviewId');
  expect(() => checkBatchSession({ interviewId: 'a b' }, 'sessions[7]')).toThrow(
    /^sessions\[7\]\.interviewId must be printable ASCII/,
  );
});

describe('a batch id', () => {
  it.each(['a', 'night_1.2:3@x-y', 'x'.repeat(200)])('can be %s', (id) => {
    expect(checkBatchId(id)).toBe(id);
  });

  it.each(['', 'a b', 'a/b', "a'b", 'ä', 'x'.repeat(201), 5, undefined])('cannot be %j', (id) => {
    expect(fieldOf(() => checkBatchId(id))).toBe('batchId');
  });
});

it('workflow ids say what they are of; callers and open workflows know them', () => {
  expect(onboardingWorkflowId('i-1')).toBe('incode-onboarding/i-1');
  expect(batchWorkflowId('night-1', 3)).toBe('incode-batch/night-1/3');
  expect(answerWorkflowId('i-1', 'r-1')).toBe('incode-answer/i-1/r-1');
});
