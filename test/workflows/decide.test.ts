import { describe, expect, it } from 'vitest';
import { type FinishAnswer, needsScore } from '../../src/contract/index.js';
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
  ])('lets the score decide: %s is %s', (status, outcome) => {
    // The action says the opposite, to show that it does not count.
    const action = outcome === 'approved' ? 'rejected' : 'approved';
    expect(decide({ finish: answer(action), score: scored(status), onboardingStatus: null }).outcome).toBe(outcome);
  });

  it.each([
    ['approved', 'approved'],
    ['rejected', 'rejected'],
    ['none', 'undecided'],
    ['brandNew', 'undecided'],
    [null, 'undecided'],
  ])('without a score the action decides: %s is %s', (action, outcome) => {
    expect(decide({ finish: answer(action), score: undefined, onboardingStatus: null }).outcome).toBe(outcome);
  });

  it('calls a score that did not come in time undecided, whatever the action was', () => {
    expect(decide({ finish: answer('approved'), score: null, onboardingStatus: null }).outcome).toBe('undecided');
  });

  it('calls a session that was never finished expired', () => {
    expect(decide({ finish: null, score: undefined, onboardingStatus: 'EXPIRED' }).outcome).toBe('expired');
  });

  it('calls a session undecided whose finish nothing has confirmed', () => {
    const finish: FinishAnswer = { ...answer('approved'), confirmedBy: 'unconfirmed' };
    const { outcome, reason } = decide({ finish, score: scored('OK'), onboardingStatus: null });
    expect(outcome).toBe('undecided');
    expect(reason).toMatch(/^A finish request may have taken effect/);
  });

  it.each([
    ['MANUAL_REVIEW_APPROVED', 'approved'],
    ['MANUAL_REVIEW_REJECTED', 'rejected'],
  ])("puts a person's verdict above everything: %s", (onboardingStatus, outcome) => {
    const score = scored(outcome === 'approved' ? 'FAIL' : 'OK');
    expect(decide({ finish: answer('none'), score, onboardingStatus }).outcome).toBe(outcome);
  });
});

describe('the reason says', () => {
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
  ])('%s', (reason, evidence) => {
    expect(decide(evidence).reason).toBe(reason);
  });
});

describe('awaitsReview', () => {
  it.each([
    ['needsReview', 'approved', true, true],
    ['needsReview', null, false, true],
    // The rules made no decision, and nobody asked for a score.
    ['undecided', 'none', false, true],
    // A score that nobody understands, or that was not ready.
    ['undecided', 'none', true, false],
    ['undecided', 'brandNew', false, false],
    ['undecided', null, false, false],
    ['approved', 'none', false, false],
    ['rejected', 'none', false, false],
    ['expired', 'none', false, false],
  ] as const)('%s, action %s, scored %s: %s', (outcome, action, isScored, expected) => {
    expect(awaitsReview({ outcome, reason: '' }, answer(action), isScored)).toBe(expected);
  });
});

describe('needsScore', () => {
  it.each([
    [true, 'approved', true],
    [false, 'approved', false],
    [false, 'none', false],
    [false, null, true],
  ])('plan.score %s, action %s: %s', (score, action, expected) => {
    expect(needsScore({ score }, answer(action))).toBe(expected);
  });
});
