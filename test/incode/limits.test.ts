import { describe, expect, it } from 'vitest';
import { cut, fitting, MAX_BYTES, readRedirection } from '../../src/incode/limits.js';
import { readFinishStatus, readOnboardingStatus, readScore } from '../../src/incode/responses.js';

describe('readRedirection', () => {
  it.each(['https://bank.example/next?name=Zoë#top', 'http://127.0.0.1:8080/', 'HTTPS://BANK.EXAMPLE/'])(
    'hands on %s',
    (url) => {
      expect(readRedirection(url)).toEqual({ redirectionUrl: url });
    },
  );

  it('says nothing if Incode named nothing', () => {
    expect(readRedirection(null)).toEqual({ redirectionUrl: null });
  });

  it.each([
    ['javascript:alert(1)', 'scheme'],
    ['java\nscript:alert(1)', 'scheme'],
    [' \u0001javascript:alert(1)', 'scheme'],
    ['data:text/html,<script>', 'scheme'],
    ['bank-app://next', 'scheme'],
    ['//evil.example/', 'malformed'],
    ['/next', 'malformed'],
    ['https://', 'malformed'],
    ['https://bank.example/\r\nset-cookie: a=b', 'malformed'],
    [`https://bank.example/${'x'.repeat(MAX_BYTES.redirectionUrl)}`, 'tooLong'],
  ])('does not hand on %j', (url, redirectionUnsafe) => {
    expect(readRedirection(url)).toEqual({ redirectionUrl: null, redirectionUnsafe });
  });

  it('measures in bytes of UTF-8', () => {
    const url = (characters: number) => `https://bank.example/${'€'.repeat(characters)}`;
    expect(readRedirection(url(675))).toEqual({ redirectionUrl: url(675) });
    expect(readRedirection(url(676))).toHaveProperty('redirectionUnsafe', 'tooLong');
  });
});

describe('texts of answers that are larger than any of Incode', () => {
  it('are cut at a whole character', () => {
    expect(cut('approved', 64)).toBe('approved');
    expect(cut('€€€', 7)).toBe('€€');
    expect(cut('😀😀', 7)).toBe('😀');
  });

  it('are left out if they are numbers', () => {
    expect(fitting('94.6', 32)).toBe('94.6');
    expect(fitting('9'.repeat(33), 32)).toBeNull();
    expect(fitting(null, 32)).toBeNull();
  });

  it('never fill a payload', () => {
    const long = 'ü'.repeat(100_000);
    const kept = [
      readFinishStatus({ action: long, redirectionUrl: long, scoreStatus: long }),
      readOnboardingStatus({ onboardingStatus: long }),
      readScore({ overall: { status: long, value: long } }),
    ];
    for (const answer of kept) expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(300);
  });

  it('never become a value that is known', () => {
    const answer = readFinishStatus({ action: `approved${' '.repeat(100)}` });
    expect(answer?.action).not.toBe('approved');
  });
});

describe('a status', () => {
  it.each(['onboarding_finished', ' ONBOARDING_FINISHED ', 'Onboarding_Finished\n', 'onboading_finished'])(
    'is read in whichever spelling: %j',
    (onboardingStatus) => {
      expect(readOnboardingStatus({ onboardingStatus })).toEqual({ onboardingStatus: 'ONBOARDING_FINISHED' });
    },
  );

  it('of white space alone is missing', () => {
    expect(readOnboardingStatus({ onboardingStatus: '  ' })).toBeUndefined();
    expect(readScore({ overall: { status: ' ' } })).toEqual({ status: null, value: null });
  });

  it('of a score is read in whichever spelling', () => {
    expect(readScore({ overall: { status: 'ok ' } })).toEqual({ status: 'OK', value: null });
  });
});
