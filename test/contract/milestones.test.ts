import { describe, expect, it } from 'vitest';
import {
  bearsOut,
  correctOnboardingStatus,
  isExpired,
  isFinished,
  isKnownStatus,
  isProcessed,
  isProcessedOnly,
  laterStatus,
  milestoneOf,
  verdictOf,
} from '../../src/contract/milestones.js';

describe('milestoneOf', () => {
  it.each([
    [null, 'open'],
    ['UNKNOWN', 'open'],
    ['ID_VALIDATION_FINISHED', 'open'],
    ['BRAND_NEW', 'open'],
    ['toString', 'open'],
    ['POST_PROCESSING_FINISHED', 'processed'],
    ['FACE_VALIDATION_FINISHED', 'processed'],
    ['GOVERNMENT_VALIDATION_FINISHED', 'processed'],
    ['EXPIRED', 'expired'],
    ['ONBOARDING_FINISHED', 'finished'],
    ['MANUAL_REVIEW_SOMETHING_NEW', 'finished'],
    ['MANUAL_REVIEW_APPROVED', 'reviewed'],
    ['MANUAL_REVIEW_REJECTED', 'reviewed'],
  ])('reads %s as %s', (status, milestone) => {
    expect(milestoneOf(status)).toBe(milestone);
  });
});

it.each([
  [null, false, false],
  ['ID_VALIDATION_FINISHED', false, false],
  ['POST_PROCESSING_FINISHED', true, false],
  ['EXPIRED', false, false],
  ['ONBOARDING_FINISHED', true, true],
  ['MANUAL_REVIEW_REJECTED', true, true],
])('%s satisfies the wait for "processed": %s, for "finished": %s', (status, processed, finished) => {
  expect({ processed: isProcessed(status), finished: isFinished(status) }).toEqual({ processed, finished });
});

describe('laterStatus', () => {
  it.each([
    [null, 'UNKNOWN', 'UNKNOWN'],
    ['UNKNOWN', 'BRAND_NEW', 'BRAND_NEW'],
    ['ID_VALIDATION_FINISHED', 'BRAND_NEW', 'ID_VALIDATION_FINISHED'],
    ['ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED', 'POST_PROCESSING_FINISHED'],
    ['POST_PROCESSING_FINISHED', 'ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED'],
    ['POST_PROCESSING_FINISHED', 'EXPIRED', 'EXPIRED'],
    // A finished session cannot have expired before.
    ['EXPIRED', 'ONBOARDING_FINISHED', 'ONBOARDING_FINISHED'],
    ['ONBOARDING_FINISHED', 'EXPIRED', 'ONBOARDING_FINISHED'],
    ['MANUAL_REVIEW_APPROVED', 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED'],
    ['MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_REJECTED'],
  ])('laterStatus of %s, then %s, is %s', (known, heard, later) => {
    expect(laterStatus(known, heard)).toBe(later);
  });
});

it('verdictOf returns a verdict only for the decision of a person', () => {
  expect([null, 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED'].map(verdictOf)).toEqual([
    undefined,
    undefined,
    'approved',
    'rejected',
  ]);
});

it("correctOnboardingStatus corrects Incode's misspelling, case and spaces", () => {
  for (const spelling of ['onboarding_finished', ' ONBOARDING_FINISHED', 'Onboading_Finished '])
    expect(correctOnboardingStatus(spelling)).toBe('ONBOARDING_FINISHED');
  expect(correctOnboardingStatus('ONBOADING_FINISHED')).toBe('ONBOARDING_FINISHED');
  expect(correctOnboardingStatus('BRAND_NEW')).toBe('BRAND_NEW');
});

it.each([
  ['UNKNOWN', true],
  ['POST_PROCESSING_FINISHED', true],
  ['ONBOARDING_FINISHED', true],
  ['MANUAL_REVIEW_PENDING', true],
  ['EXPIRED', true],
  ['ONBOARDING_CONCLUDED', false],
  ['', false],
])('isKnownStatus of "%s" is %s', (status, isKnown) => {
  expect(isKnownStatus(status)).toBe(isKnown);
});

it.each([
  ['ID_VALIDATION_FINISHED', false],
  ['POST_PROCESSING_FINISHED', true],
  ['ONBOARDING_FINISHED', false],
])('isProcessedOnly of %s is %s', (status, expected) => {
  expect(isProcessedOnly(status)).toBe(expected);
});

it('isExpired is true only for EXPIRED', () => {
  expect(['EXPIRED', 'ONBOARDING_FINISHED', 'UNKNOWN', null].map(isExpired)).toEqual([true, false, false, false]);
});

it.each([
  ['POST_PROCESSING_FINISHED', 'POST_PROCESSING_FINISHED', true],
  ['ONBOARDING_FINISHED', 'POST_PROCESSING_FINISHED', true],
  ['MANUAL_REVIEW_APPROVED', 'ONBOARDING_FINISHED', true],
  ['POST_PROCESSING_FINISHED', 'ONBOARDING_FINISHED', false],
  ['EXPIRED', 'EXPIRED', true],
  ['ONBOARDING_FINISHED', 'EXPIRED', false],
  ['MANUAL_REVIEW_REJECTED', 'MANUAL_REVIEW_REJECTED', true],
  ['MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED', false],
])('%s confirms a webhook that said %s: %s', (status, hint, expected) => {
  expect(bearsOut(status, hint)).toBe(expected);
});
