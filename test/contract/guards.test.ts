import { describe, expect, it } from 'vitest';
import { parseStatusChanged, planWithDefaults, resolvePlan } from '../../src/contract/guards.js';
import {
  checkExtendDeadlineInput,
  checkOnboardingInput,
  checkRenewTokenInput,
  PLAN_DEFAULTS,
  type Plan,
  parseDuration,
} from '../../src/contract/index.js';
import { fieldOf } from '../support/thrown.js';

describe('checkOnboardingInput', () => {
  it('accepts an interview id alone', () => {
    expect(checkOnboardingInput({ interviewId: 'abc' })).toEqual({ interviewId: 'abc' });
  });

  it('treats the null of other languages as absent', () => {
    expect(checkOnboardingInput({ interviewId: 'abc', sessionToken: null, plan: null, flowId: null })).toEqual({
      interviewId: 'abc',
    });
  });

  it.each([
    ['input', 'undefined', undefined],
    ['input', 'a list', []],
    ['interviewId', 'a missing interview id', {}],
    ['interviewId', 'an empty interview id', { interviewId: '' }],
    ['interviewId', 'an interview id with a space', { interviewId: 'a b' }],
    ['interviewId', 'an interview id with a line break', { interviewId: 'a\nb' }],
    ['interviewId', 'an interview id of 201 characters', { interviewId: 'a'.repeat(201) }],
    ['sessionToken', 'an empty token', { interviewId: 'a', sessionToken: '' }],
    ['sessionToken', 'a token that injects a header', { interviewId: 'a', sessionToken: 'x\r\nx-api-key: k' }],
    ['sessionToken', 'a token of 16,385 characters', { interviewId: 'a', sessionToken: 'x'.repeat(16_385) }],
    ['flowId', 'an empty flow id', { interviewId: 'a', flowId: '' }],
    ['flowId', 'a flow id of 201 characters', { interviewId: 'a', flowId: 'f'.repeat(201) }],
    ['plan.review', 'an unknown choice', { interviewId: 'a', plan: { review: 'ask' } }],
    ['sesionToken', 'a misspelled key', { interviewId: 'a', sesionToken: 't' }],
    ['plan', 'a string as plan', { interviewId: 'a', plan: 'now' }],
    ['plan.scores', 'an unknown plan key', { interviewId: 'a', plan: { scores: true } }],
    ['plan.__proto__', 'a key of Object.prototype', { interviewId: 'a', plan: JSON.parse('{"__proto__": true}') }],
    ['plan.close', 'a string for a boolean', { interviewId: 'a', plan: { close: 'yes' } }],
    ['plan.scoreDeadline', 'a number for a duration', { interviewId: 'a', plan: { scoreDeadline: 5 } }],
    ['plan.scoreDeadline', 'a misspelled unit', { interviewId: 'a', plan: { scoreDeadline: '7 dys' } }],
    ['verifyFirst', 'an unknown verifyFirst', { interviewId: 'a', verifyFirst: 'never' }],
  ])('names the field %s for %s', (field, _, input) => {
    expect(fieldOf(() => checkOnboardingInput(input))).toBe(field);
  });

  it('shortens an unknown key to 60 characters and replaces its control characters', () => {
    const key = `\u001b[31m${'k'.repeat(64_000)}`;
    expect(fieldOf(() => checkOnboardingInput({ interviewId: 'a', [key]: 1 }))).toBe(`?[31m${'k'.repeat(55)}…`);
    expect(() => checkOnboardingInput({ interviewId: 'a', plan: { [key]: 1 } })).toThrow(
      /^plan\.\?\[31mk{55}… is not known/,
    );
  });

  it('shows no token in its message', () => {
    expect(() => checkOnboardingInput({ interviewId: 'a', sessionToken: 'secret\nsecret' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    );
  });
});

describe('checkRenewTokenInput', () => {
  it.each([
    [undefined, 'renewToken'],
    [{}, 'sessionToken'],
    [{ sessionToken: '' }, 'sessionToken'],
    [{ sessionToken: 'a\nb' }, 'sessionToken'],
    [{ sessionToken: 'a', token: 'b' }, 'renewToken.token'],
  ])('refuses %j', (input, field) => {
    expect(fieldOf(() => checkRenewTokenInput(input))).toBe(field);
  });
});

describe('checkExtendDeadlineInput', () => {
  it('returns milliseconds', () => {
    expect(checkExtendDeadlineInput({ by: '2 days' })).toBe(172_800_000);
  });

  it.each([
    [undefined, 'extendDeadline'],
    [{}, 'extendDeadline.by'],
    [{ by: 5 }, 'extendDeadline.by'],
    [{ by: 'soon' }, 'extendDeadline.by'],
    [{ by: '1h', until: 'x' }, 'extendDeadline.until'],
  ])('refuses %j', (input, field) => {
    expect(fieldOf(() => checkExtendDeadlineInput(input))).toBe(field);
  });
});

describe('parseStatusChanged', () => {
  it.each([
    [{ onboardingStatus: 'EXPIRED' }, 'EXPIRED'],
    [{ onboardingStatus: 'BRAND_NEW', interviewId: 'i' }, 'BRAND_NEW'],
    [{ onboardingStatus: 'ONBOADING_FINISHED' }, 'ONBOARDING_FINISHED'],
    [{ onboardingStatus: 'X'.repeat(64) }, 'X'.repeat(64)],
    // Another session.
    [{ onboardingStatus: 'EXPIRED', interviewId: 'j' }, undefined],
    [{ onboardingStatus: 'X'.repeat(65) }, undefined],
    [{ onboardingStatus: 'two words' }, undefined],
    [{ onboardingStatus: 5 }, undefined],
    [{}, undefined],
    ['EXPIRED', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('reads %j as %s', (value, status) => {
    expect(parseStatusChanged(value, 'i')).toBe(status);
  });
});

describe('resolvePlan', () => {
  it('fills in every default', () => {
    expect(resolvePlan(undefined)).toEqual({
      finishWhen: 'now',
      captureDeadlineMs: 7 * 86_400_000,
      close: false,
      score: true,
      scoreDeadlineMs: 900_000,
      review: 'report',
      reviewDeadlineMs: 30 * 86_400_000,
    });
  });

  it('uses the default for a part that is undefined or null', () => {
    expect(resolvePlan({ close: undefined, score: null })).toEqual(resolvePlan(undefined));
  });
});

describe('parseDuration', () => {
  it.each([
    ['15 minutes', 900_000],
    ['36h', 129_600_000],
    ['1.5s', 1_500],
    ['7 DAYS', 604_800_000],
    ['250ms', 250],
    ['2 weeks', 1_209_600_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', '0s', '-1s', '7 dys', '1 toString', 's', '1e3s', '99999 weeks', 'constructor'])(
    'refuses "%s"',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

it.each([undefined, null, {}, { close: null }])('planWithDefaults fills in every default for %j', (plan) => {
  expect(planWithDefaults(plan as Plan)).toEqual(PLAN_DEFAULTS);
  expect(planWithDefaults({ close: true })).toEqual({ ...PLAN_DEFAULTS, close: true });
});
