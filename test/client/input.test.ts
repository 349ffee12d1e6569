import { UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkedInput, checkedToken, tokenExpiry } from '../../src/client/input.js';
import { InvalidInputError } from '../../src/contract/index.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const tokenUntil = (seconds: number) => new UnsecuredJWT({ exp: NOW / 1_000 + seconds }).encode();

describe('a session token', () => {
  it.each([
    ['is valid for one more second', tokenUntil(1)],
    ['never expires', new UnsecuredJWT({}).encode()],
    ['has an unknown format', 'opaque'],
  ])('accepts a token that %s', (_, token) => {
    expect(checkedToken('i', token)).toBe(token);
    expect(checkedInput({ interviewId: 'i', sessionToken: token })).toEqual({ interviewId: 'i', sessionToken: token });
  });

  it.each([0, -1])('refuses a token that expires %i s from now without repeating it', (seconds) => {
    const token = tokenUntil(seconds);
    for (const check of [
      () => checkedToken('i', token),
      () => checkedInput({ interviewId: 'i', sessionToken: token }),
    ]) {
      expect(check).toThrow(InvalidInputError);
      expect(check).toThrow(/^sessionToken expired at 2026-03-01T1[12]:.*; get a new one$/);
    }
  });

  it('refuses a token with characters that cannot be sent', () => {
    expect(() => checkedToken('i', 'two\nlines')).toThrow('sessionToken must be printable');
  });

  it('refuses a token of another session and names both sessions', () => {
    const token = new UnsecuredJWT({ interviewId: 'session-b' }).encode();
    const checks = [
      () => checkedToken('session-a', token),
      () => checkedInput({ interviewId: 'session-a', sessionToken: token }),
    ];
    for (const check of checks) {
      expect(check).toThrow(InvalidInputError);
      expect(check).toThrow('sessionToken belongs to session session-b, not to session-a');
    }
  });

  it('tokenExpiry returns the exp of a token that has one', () => {
    expect(tokenExpiry(tokenUntil(60))).toBe(NOW / 1_000 + 60);
    expect(tokenExpiry('opaque')).toBeUndefined();
  });
});

it('accepts a session without a token', () => {
  expect(checkedInput({ interviewId: 'i' })).toEqual({ interviewId: 'i' });
});
