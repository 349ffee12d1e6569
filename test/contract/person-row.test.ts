import { describe, expect, it } from 'vitest';
import { jsonBytes } from '../../src/contract/batch-size.js';
import { FAILURES, type ImageResult, type OnboardingResult } from '../../src/contract/index.js';
import { hasFailedWithoutSession, rowOfFailedPerson, rowOfPerson, whyNotAgain } from '../../src/contract/person-row.js';

const ACCEPTED: ImageResult = { assessment: 'accepted', failReason: null, code: null, failedChecks: [] };
const ONBOARDING: OnboardingResult = {
  interviewId: 'i',
  outcome: 'approved',
  finish: null,
  score: { status: 'OK', value: '94.6' },
  closed: null,
  onboardingStatus: null,
  reason: "The score's overall status is OK.",
};
const FACTS = { interviewId: 'i', images: { front: ACCEPTED, back: null, selfie: null }, suspectedOrphans: [] };
const orphan = (at: number) => ({ externalCustomerId: `${'r'.repeat(150)}~${at}`, interviewId: 'o'.repeat(200) });

describe('rowOfPerson', () => {
  it('has the outcome, the reason, the score and Incode’s answers about the images', () => {
    expect(rowOfPerson(FACTS, ONBOARDING)).toEqual({
      interviewId: 'i',
      outcome: 'approved',
      reason: "The score's overall status is OK.",
      score: { status: 'OK', value: '94.6' },
      images: { front: 'accepted' },
    });
  });

  it('leaves out a score and images that are not there, and names suspected orphans', () => {
    const facts = { ...FACTS, images: { front: null, back: null, selfie: null }, suspectedOrphans: [orphan(1)] };
    expect(rowOfPerson(facts, { ...ONBOARDING, score: null })).toEqual({
      interviewId: 'i',
      outcome: 'approved',
      reason: ONBOARDING.reason,
      suspectedOrphans: [orphan(1)],
    });
  });

  it('names five suspected orphans, and says how many more there are', () => {
    const rowWith = (length: number) =>
      rowOfPerson({ ...FACTS, suspectedOrphans: Array.from({ length }, (_, at) => orphan(at)) }, ONBOARDING);
    expect(rowWith(5).suspectedOrphans).toHaveLength(5);
    expect(rowWith(5)).not.toHaveProperty('moreSuspectedOrphans');
    expect(rowWith(6)).toMatchObject({ suspectedOrphans: rowWith(5).suspectedOrphans, moreSuspectedOrphans: 1 });
  });

  it('has the answers about face, registry and watchlists where Incode was asked', () => {
    const face = { confidence: 1, existingUser: false, nameMatched: null, code: null };
    const government = { valid: true, statusCode: 0 };
    const watchlist = { hits: 2 };
    expect(rowOfPerson({ ...FACTS, face, government, watchlist }, ONBOARDING)).toMatchObject({
      face,
      government,
      watchlist,
    });
    const none = rowOfPerson({ ...FACTS, face, government: null, watchlist: null }, ONBOARDING);
    expect(Object.keys(none)).toEqual(expect.not.arrayContaining(['government', 'watchlist']));
    const end = { name: 'ApplicationFailure', type: 'Cancelled', message: 'm', details: [{ ...FACTS, face }] };
    expect(rowOfFailedPerson('r', end)).toMatchObject({ face });
  });

  it('says what was deleted at Incode, or why nothing was', () => {
    expect(rowOfPerson({ ...FACTS, purged: 'images' }, ONBOARDING)).toMatchObject({ purged: 'images' });
    const kept = rowOfPerson({ ...FACTS, purged: null, notPurged: 'The outcome is undecided' }, ONBOARDING);
    expect(kept).toMatchObject({ notPurged: 'The outcome is undecided' });
    expect(kept).not.toHaveProperty('purged');
  });

  it('writes reason, code and failed checks of an image after its assessment', () => {
    const front: ImageResult = { ...ACCEPTED, assessment: 'refused', failReason: 'DOCUMENT_NOT_READABLE', code: 4019 };
    const selfie: ImageResult = { ...ACCEPTED, assessment: 'doubtful', failedChecks: ['isBright', 'hasLenses'] };
    expect(rowOfPerson({ ...FACTS, images: { front, back: ACCEPTED, selfie } }, ONBOARDING).images).toEqual({
      front: 'refused DOCUMENT_NOT_READABLE 4019',
      back: 'accepted',
      selfie: 'doubtful isBright hasLenses',
    });
  });

  it('has at most 4,000 bytes, whatever Incode answers', () => {
    const long = 'ä"'.repeat(5_000);
    const image: ImageResult = { assessment: 'refused', failReason: long, code: 1, failedChecks: [long] };
    const facts = {
      interviewId: 'i'.repeat(200),
      images: { front: image, back: image, selfie: image },
      suspectedOrphans: Array.from({ length: 50 }, (_, at) => orphan(at)),
    };
    const row = rowOfPerson(facts, { ...ONBOARDING, reason: long, score: { status: long, value: long } });
    expect(jsonBytes(row)).toBeLessThanOrEqual(4_000);
    expect(row.suspectedOrphans).toHaveLength(5);
    expect(row.moreSuspectedOrphans).toBe(45);
    const failed = rowOfFailedPerson('r', { name: 'ApplicationFailure', type: long, message: long, details: [facts] });
    expect(jsonBytes(failed)).toBeLessThanOrEqual(4_000);
    expect(failed.failure?.message.length).toBeGreaterThan(20);
  });
});

describe('rowOfFailedPerson', () => {
  it('has the failure, and what is known of the person', () => {
    const end = { name: 'ApplicationFailure', type: 'ImageUnusable', message: 'Person r: gone', details: [FACTS] };
    expect(rowOfFailedPerson('r', end)).toEqual({
      interviewId: 'i',
      images: { front: 'accepted' },
      failure: { type: 'ImageUnusable', message: 'Person r: gone' },
    });
  });

  it('knows of no session before one was opened', () => {
    const end = { name: 'ApplicationFailure', type: 'InvalidInput', message: 'm', details: [{ interviewId: null }] };
    expect(rowOfFailedPerson('r', end)).toEqual({ failure: { type: 'InvalidInput', message: 'm' } });
  });

  it.each([
    ['CancelledFailure', 'Cancelled', 'Person r: the workflow was cancelled'],
    ['TerminatedFailure', 'Terminated', 'Person r: the workflow was terminated'],
    ['TimeoutFailure', 'TimedOut', 'Person r: the workflow timed out'],
  ])('says what a %s means', (name, type, message) => {
    expect(rowOfFailedPerson('r', { name, message: 'x' })).toEqual({ failure: { type, message } });
  });

  it('says that a workflow failed if nothing else is known', () => {
    const failure = { type: 'Failed', message: 'Person r: the workflow failed' };
    expect(rowOfFailedPerson('r', undefined)).toEqual({ failure });
    expect(rowOfFailedPerson('r', { name: 'Error', message: 'odd', details: null })).toEqual({
      failure: { type: 'Failed', message: 'odd' },
    });
  });
});

describe('hasFailedWithoutSession', () => {
  const facts = { reference: '4711', interviewId: null, suspectedOrphans: [] };
  it.each([
    ['an image that cannot be used before a session is opened', FAILURES.imageUnusable, [facts], true],
    ['an input that the workflow refuses', FAILURES.invalidInput, [{ field: 'front.uri' }], true],
    ['a missing flow', FAILURES.invalidInput, [{ ...facts, field: 'configurationId' }], true],
    ['a missing flow after a session was opened', FAILURES.invalidInput, [{ ...facts, interviewId: 'i' }], false],
    ['a session', FAILURES.imageRefused, [{ ...facts, interviewId: 'i' }], false],
    ['a suspected orphan', FAILURES.badRequest, [{ ...facts, suspectedOrphans: [orphan(1)] }], false],
    ['no facts', 'Error', [], false],
    ['facts without suspected orphans', 'Error', [{ interviewId: null }], false],
    ['null as details', 'Error', null, false],
  ])('looks for a session in a failure with %s', (_, type, details, expected) => {
    expect(hasFailedWithoutSession({ name: 'ApplicationFailure', message: '', type, details })).toBe(expected);
  });

  it('finds none to have failed without a failure', () => {
    expect(hasFailedWithoutSession(undefined)).toBe(false);
  });
});

describe('whyNotAgain', () => {
  it('names the session and what to do with it', () => {
    expect(whyNotAgain('session-1', 'running')).toMatch(
      /^session session-1 .+ still being completed.+ cancel the session$/,
    );
    expect(whyNotAgain('session-1', 'completed')).toMatch(
      /^session session-1 .+ completed.+ Read the session's result$/,
    );
  });
});
