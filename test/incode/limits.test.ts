import { describe, expect, it } from 'vitest';
import { cut, fitting, MAX_BYTES, readRedirection } from '../../src/incode/limits.js';
import { readFinishStatus, readOnboardingStatus, readScore } from '../../src/incode/responses.js';

describe('readRedirection', () => {
  it.each(['https://bank.example/next?name=Zoë#top', 'http://127.0.0.1:8080/', 'HTTPS://BANK.EXAMPLE/'])(
    'returns the web address %s',
    (url) => {
      expect(readRedirection(url)).toEqual({ redirectionUrl: url });
    },
  );

  it('returns null if there is no redirection', () => {
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
  ])('withholds %j as unsafe: %s', (url, redirectionUnsafe) => {
    expect(readRedirection(url)).toEqual({ redirectionUrl: null, redirectionUnsafe });
  });

  it('measures the length in bytes of UTF-8', () => {
    const url = (characters: number) => `https://bank.example/${'€'.repeat(characters)}`;
    expect(readRedirection(url(675))).toEqual({ redirectionUrl: url(675) });
    expect(readRedirection(url(676))).toHaveProperty('redirectionUnsafe', 'tooLong');
  });
});

describe('oversized texts in answers', () => {
  it('cut shortens a text at a whole character', () => {
    expect(cut('approved', 64)).toBe('approved');
    expect(cut('€€€', 7)).toBe('€€');
    expect(cut('😀😀', 7)).toBe('😀');
  });

  it('fitting drops a number that is too long', () => {
    expect(fitting('94.6', 32)).toBe('94.6');
    expect(fitting('9'.repeat(33), 32)).toBeNull();
    expect(fitting(null, 32)).toBeNull();
  });

  it('readers keep answers with oversized texts below 300 bytes', () => {
    const long = 'ü'.repeat(100_000);
    const kept = [
      readFinishStatus({ action: long, redirectionUrl: long, scoreStatus: long }),
      readOnboardingStatus({ onboardingStatus: long }),
      readScore({ overall: { status: long, value: long } }),
    ];
    for (const answer of kept) expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(300);
  });

  it('a shortened action is not a known action', () => {
    const answer = readFinishStatus({ action: `approved${' '.repeat(100)}` });
    expect(answer?.action).not.toBe('approved');
  });
});

describe('reading a status', () => {
  it.each(['onboarding_finished', ' ONBOARDING_FINISHED ', 'Onboarding_Finished\n', 'onboading_finished'])(
    'normalizes case, white space and a known misspelling: %j',
    (onboardingStatus) => {
      expect(readOnboardingStatus({ onboardingStatus })).toEqual({ onboardingStatus: 'ONBOARDING_FINISHED' });
    },
  );

  it('treats white space alone as a missing status', () => {
    expect(readOnboardingStatus({ onboardingStatus: '  ' })).toBeUndefined();
    expect(readScore({ overall: { status: ' ' } })).toEqual({ status: null, value: null });
  });

  it("normalizes case and white space of a score's status", () => {
    expect(readScore({ overall: { status: 'ok ' } })).toEqual({ status: 'OK', value: null });
  });
});
