import { describe, expect, it } from 'vitest';
import { resolveBatchPlan } from '../../src/contract/batch.js';
import {
  answerWorkflowId,
  batchWorkflowId,
  checkBatchId,
  checkBatchInput,
  checkBatchPlan,
  checkBatchSession,
  onboardingWorkflowId,
} from '../../src/contract/index.js';
import { fieldOf } from '../support/thrown.js';

const input = (more: object = {}) => ({ batchId: 'night-1', shard: 0, sessions: [{ interviewId: 'a' }], ...more });
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ interviewId: `i-${at}` }));

describe('checkBatchInput', () => {
  it('treats the null of other languages as absent, in sessions too', () => {
    const value = input({ plan: null, earlier: null, sessions: [{ interviewId: 'a', sessionToken: null }] });
    expect(checkBatchInput(value)).toEqual(input());
  });

  it.each([
    ['a full shard', input({ sessions: many(2_000) })],
    ['a plan', input({ plan: { close: true, score: false, scoreDeadline: '1h' } })],
    ['verifyFirst: settle', input({ verifyFirst: 'settle' })],
    ['verifyFirst: true from an earlier version', input({ verifyFirst: true })],
    ['rows of an earlier run', input({ earlier: [null] })],
  ])('accepts %s', (_, value) => {
    expect(checkBatchInput(value)).toEqual(value);
  });

  it.each([
    ['input', 'a list instead of an object', []],
    ['sesions', 'a misspelled key', input({ sesions: [] })],
    ['batchId', 'a missing batch id', input({ batchId: undefined })],
    ['shard', 'a negative shard number', input({ shard: -1 })],
    ['shard', 'a fractional shard number', input({ shard: 0.5 })],
    ['shard', 'a shard number in a string', input({ shard: '0' })],
    ['sessions', 'an object instead of a list', input({ sessions: {} })],
    ['sessions', 'an empty list', input({ sessions: [] })],
    ['sessions', 'more sessions than a shard may have', input({ sessions: many(2_001) })],
    ['sessions[1]', 'a string as session', input({ sessions: [{ interviewId: 'a' }, 'b'] })],
    ['sessions[0].interviewId', 'a session without an id', input({ sessions: [{ sessionToken: 't' }] })],
    ['sessions[0].token', 'a misspelled key of a session', input({ sessions: [{ interviewId: 'a', token: 't' }] })],
    [
      'sessions[1].sessionToken',
      'a repeated token',
      input({
        sessions: [
          { interviewId: 'a', sessionToken: 't' },
          { interviewId: 'b', sessionToken: 't' },
        ],
      }),
    ],
    ['sessions[3].interviewId', 'a repeated session', input({ sessions: [...many(3), ...many(1)] })],
    ['earlier', 'a string instead of rows', input({ earlier: 'all' })],
    ['verifyFirst', 'an unknown verifyFirst', input({ verifyFirst: 'never' })],
    ['earlier', 'fewer rows than sessions', input({ earlier: [] })],
    ['plan.review', 'a part of the plan that batches lack', input({ plan: { review: 'wait' } })],
    ['plan', 'a string as plan', input({ plan: 'score' })],
  ])('names the field %s for %s', (field, _, value) => {
    expect(fieldOf(() => checkBatchInput(value))).toBe(field);
  });
});

it.each([undefined, null, {}])('checkBatchPlan accepts %j as a plan of defaults', (plan) => {
  expect(checkBatchPlan(plan)).toEqual({});
});

it('resolveBatchPlan fills in defaults and converts durations to milliseconds', () => {
  expect(resolveBatchPlan(undefined)).toEqual({ close: false, score: true, scoreDeadlineMs: 900_000 });
  expect(resolveBatchPlan({ close: true, scoreDeadline: '1h' })).toMatchObject({
    close: true,
    scoreDeadlineMs: 3_600_000,
  });
});

it('checkBatchSession names fields of a single session without a prefix', () => {
  expect(fieldOf(() => checkBatchSession({ interviewId: 'a b' }))).toBe('interviewId');
  expect(() => checkBatchSession({ interviewId: 'a b' }, 'sessions[7]')).toThrow(
    /^sessions\[7\]\.interviewId must be printable ASCII/,
  );
});

describe('checkBatchId', () => {
  it.each(['a', 'night_1.2:3@x-y', 'x'.repeat(200)])('accepts %s', (id) => {
    expect(checkBatchId(id)).toBe(id);
  });

  it.each(['', 'a b', 'a/b', "a'b", 'ä', 'x'.repeat(201), 5, undefined])('refuses %j', (id) => {
    expect(fieldOf(() => checkBatchId(id))).toBe('batchId');
  });
});

it('workflow ids keep the form that callers and open workflows use', () => {
  expect(onboardingWorkflowId('i-1')).toBe('incode-onboarding/i-1');
  expect(batchWorkflowId('night-1', 3)).toBe('incode-batch/night-1/3');
  expect(answerWorkflowId('i-1', 'r-1')).toBe('incode-answer/i-1/r-1');
});
