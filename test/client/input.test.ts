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
    ['that is valid for a second more', tokenUntil(1)],
    ['that never expires', new UnsecuredJWT({}).encode()],
    ['in a form that only Incode knows', 'opaque'],
  ])('%s is sent', (_, token) => {
    expect(checkedToken('i', token)).toBe(token);
    expect(checkedInput({ interviewId: 'i', sessionToken: token })).toEqual({ interviewId: 'i', sessionToken: token });
  });

  it.each([0, -1])('that expired %i s from now is not sent, and not repeated', (seconds) => {
    const token = tokenUntil(seconds);
    for (const check of [
      () => checkedToken('i', token),
      () => checkedInput({ interviewId: 'i', sessionToken: token }),
    ]) {
      expect(check).toThrow(InvalidInputError);
      expect(check).toThrow(/^sessionToken expired at 2026-03-01T1[12]:.*; get a new one$/);
    }
  });

  it('that cannot be sent is refused', () => {
    expect(() => checkedToken('i', 'two\nlines')).toThrow('sessionToken must be printable');
  });

  it('of another session is refused, naming both sessions', () => {
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

  it('says until when it is valid, if it says so', () => {
    expect(tokenExpiry(tokenUntil(60))).toBe(NOW / 1_000 + 60);
    expect(tokenExpiry('opaque')).toBeUndefined();
  });
});

it('a session needs no token', () => {
  expect(checkedInput({ interviewId: 'i' })).toEqual({ interviewId: 'i' });
});
