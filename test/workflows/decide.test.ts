import { describe, expect, it } from 'vitest';
import { needsScore } from '../../src/contract/guards.js';
import type { FinishAnswer } from '../../src/contract/index.js';
import { awaitsReview, decide } from '../../src/workflows/decide.js';

const answer = (action: string | null): FinishAnswer => ({ action, redirectionUrl: null, confirmedBy: 'response' });
const scored = (status: string) => ({ status, value: '50.0' });

describe('decide', () => {
  it.each([
    ['OK', 'approved'],
    ['FAIL', 'rejected'],
    ['WARN', 'needsReview'],
    ['MANUAL', 'needsReview'],
    ['MANUAL_OK', 'needsReview'],
    ['MANUAL_PENDING', 'needsReview'],
    ['BRAND_NEW', 'undecided'],
  ])('decides by the score %s: %s', (status, outcome) => {
    // The action says the opposite.
    const action = outcome === 'approved' ? 'rejected' : 'approved';
    expect(decide({ finish: answer(action), score: scored(status), onboardingStatus: null }).outcome).toBe(outcome);
  });

  it.each([
    ['approved', 'approved'],
    ['rejected', 'rejected'],
    ['none', 'undecided'],
    ['brandNew', 'undecided'],
    [null, 'undecided'],
  ])('decides by the action %s if the plan has no score: %s', (action, outcome) => {
    expect(decide({ finish: answer(action), score: undefined, onboardingStatus: null }).outcome).toBe(outcome);
  });

  it('returns undecided if the score did not arrive in time', () => {
    expect(decide({ finish: answer('approved'), score: null, onboardingStatus: null }).outcome).toBe('undecided');
  });

  it('returns expired if the session was never finished', () => {
    expect(decide({ finish: null, score: undefined, onboardingStatus: 'EXPIRED' }).outcome).toBe('expired');
  });

  it('returns undecided if the finish is unconfirmed', () => {
    const finish: FinishAnswer = { ...answer('approved'), confirmedBy: 'unconfirmed' };
    const { outcome, reason } = decide({ finish, score: scored('OK'), onboardingStatus: null });
    expect(outcome).toBe('undecided');
    expect(reason).toMatch(/^A finish request may have taken effect/);
  });

  it.each([
    ['MANUAL_REVIEW_APPROVED', 'approved'],
    ['MANUAL_REVIEW_REJECTED', 'rejected'],
  ])('decides by the verdict %s against score and action: %s', (onboardingStatus, outcome) => {
    const score = scored(outcome === 'approved' ? 'FAIL' : 'OK');
    expect(decide({ finish: answer('none'), score, onboardingStatus }).outcome).toBe(outcome);
  });
});

describe('the reason of an outcome', () => {
  const late = ' No manual review decided within the review deadline.';

  it.each<[string, Parameters<typeof decide>[0]]>([
    [
      'A manual review approved the session.',
      { finish: null, score: null, onboardingStatus: 'MANUAL_REVIEW_APPROVED' },
    ],
    [
      'The session expired at Incode before it was finished.',
      { finish: null, score: null, onboardingStatus: 'EXPIRED' },
    ],
    [
      'The capture deadline passed before the session could be finished.',
      { finish: null, score: null, onboardingStatus: null },
    ],
    [
      'Incode had no score within the score deadline.',
      { finish: answer('approved'), score: null, onboardingStatus: null },
    ],
    ["The score's overall status is WARN.", { finish: answer('none'), score: scored('WARN'), onboardingStatus: null }],
    [
      `The score's overall status is WARN.${late}`,
      { finish: answer('none'), score: scored('WARN'), onboardingStatus: null, reviewed: true },
    ],
    [
      'Incode\'s rules answered with the action "none".',
      { finish: answer('none'), score: undefined, onboardingStatus: null },
    ],
    ["Incode's rules named no action.", { finish: answer(null), score: undefined, onboardingStatus: null }],
    [
      'A manual review rejected the session. Only a webhook said so, because there was no token to ask Incode with.',
      { finish: null, score: null, onboardingStatus: 'MANUAL_REVIEW_REJECTED', byWebhook: true },
    ],
  ])('can be "%s"', (reason, evidence) => {
    expect(decide(evidence).reason).toBe(reason);
  });
});

describe('awaitsReview', () => {
  it.each([
    ['needsReview', 'approved', true, true],
    ['needsReview', null, false, true],
    // The rules made no decision, and the plan has no score.
    ['undecided', 'none', false, true],
    // An unknown score, or one that was not ready.
    ['undecided', 'none', true, false],
    ['undecided', 'brandNew', false, false],
    ['undecided', null, false, false],
    ['approved', 'none', false, false],
    ['rejected', 'none', false, false],
    ['expired', 'none', false, false],
  ] as const)(
    'awaitsReview for outcome %s, action %s, with a score %s, is %s',
    (outcome, action, isScored, expected) => {
      expect(awaitsReview({ outcome, reason: '' }, answer(action), isScored)).toBe(expected);
    },
  );
});

describe('needsScore', () => {
  it.each([
    [true, 'approved', true],
    [false, 'approved', false],
    [false, 'none', false],
    [false, null, true],
  ])('needsScore for plan.score %s and action %s is %s', (score, action, expected) => {
    expect(needsScore({ score }, answer(action))).toBe(expected);
  });
});
