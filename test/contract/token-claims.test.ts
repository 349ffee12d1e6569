import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/contract/index.js';
import { checkTokenFits, interviewIdOfToken, isProvenToken } from '../../src/contract/token-claims.js';

function jwt(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

describe('interviewIdOfToken', () => {
  it('reads the claim interviewId of a JWT', () => {
    expect(interviewIdOfToken(jwt({ interviewId: 'i-1', externalUserId: 'other' }))).toBe('i-1');
  });

  it('reads claims with characters beyond ASCII', () => {
    expect(interviewIdOfToken(jwt({ name: 'Zoë 😀 Ünal', interviewId: 'i-1' }))).toBe('i-1');
  });

  it.each([
    ['an opaque token', 'opaque-token'],
    ['an empty token', ''],
    ['a JWT without the claim', jwt({ externalUserId: 'u-1', exp: 1 })],
    ['a JWT whose claim is a number', jwt({ interviewId: 7 })],
    ['a JWT whose claim is empty', jwt({ interviewId: '' })],
    ['a JWT whose claim is no valid id', jwt({ interviewId: 'two words\n' })],
    ['a JWT whose claim has 201 characters', jwt({ interviewId: 'x'.repeat(201) })],
    ['a JWT whose claims are a list', jwt(['interviewId'])],
    ['a JWT whose claims are null', jwt(null)],
    ['a JWT whose claims are not base64url', 'a.+/*.c'],
    ['a JWT whose claims are invalid JSON', `a.${Buffer.from('{"interviewId"').toString('base64url')}.c`],
    ['a JWT whose claims are not UTF-8', `a.${Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64url')}.c`],
  ])('finds no claim in %s', (_, token) => {
    expect(interviewIdOfToken(token)).toBeUndefined();
  });

  it('decodes every JWT as Node does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (claims) => {
        expect(interviewIdOfToken(jwt({ ...claims, interviewId: 'i-1' }))).toBe('i-1');
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (token) => void interviewIdOfToken(token)));
  });

  it('accepts the padding of base64url, and no more of it than that', () => {
    const claims = Buffer.from('{"interviewId":"i-1"}').toString('base64url');
    const read = ['', '=', '==', '===', '=a'].map((padding) => interviewIdOfToken(`a.${claims}${padding}.c`));
    expect(read).toEqual(['i-1', 'i-1', 'i-1', undefined, undefined]);
  });
});

describe('checkTokenFits', () => {
  it('refuses a token of another session and names both sessions', () => {
    const token = jwt({ interviewId: 'session-b' });
    const refused = () => checkTokenFits('session-a', token);
    expect(refused).toThrow(InvalidInputError);
    expect(refused).toThrow(
      'sessionToken belongs to session session-b, not to session-a; hand in the token of session-a',
    );
  });

  it('accepts a token of the same session and a token without the claim', () => {
    for (const token of [jwt({ interviewId: 'session-a' }), jwt({ externalUserId: 'session-b' }), 'opaque'])
      expect(() => checkTokenFits('session-a', token)).not.toThrow();
  });
});

describe('isProvenToken', () => {
  const anonymous = { interviewId: 'i-1', sessionToken: 'opaque', refusesForeignIds: undefined, isLookedAt: true };

  it.each([
    ['whose claim names the session', { sessionToken: jwt({ interviewId: 'i-1' }), isLookedAt: false }, true],
    ['whose claim names another session', { sessionToken: jwt({ interviewId: 'i-2' }) }, false],
    ['that Incode issued for the session', { issuedByIncode: true, isLookedAt: false }, true],
    ['that Incode has answered, and would refuse for another id', { refusesForeignIds: true }, true],
    ['that Incode has not been asked about', { refusesForeignIds: true, isLookedAt: false }, false],
    ['without a claim', {}, false],
  ])('judges a token %s', (_, evidence, isProven) => {
    expect(isProvenToken({ ...anonymous, ...evidence })).toBe(isProven);
  });
});
