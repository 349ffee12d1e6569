import { describe, expect, it } from 'vitest';
import { executiveLogIn, givenExecutiveToken, IncodeError, type IncodeErrorKind } from '../../src/incode/index.js';
import { thrown } from '../support/thrown.js';

const HOUR = 3_600_000;

/** A log-in at an Incode that gives token 1, 2, 3 and so on, or fails as `fails` says. */
function logIn() {
  const state = { ms: 0, password: 'first password', fails: undefined as IncodeErrorKind | undefined, asked: 0 };
  const incode = {
    async logIn() {
      state.asked += 1;
      await Promise.resolve();
      if (state.fails) {
        throw new IncodeError({ kind: state.fails, operation: 'logIn', what: 'answered 401', httpStatus: 401 });
      }
      return { token: `token-${state.asked}` };
    },
  };
  const credentials = () => ({ email: 'kyc@example.com', password: state.password });
  return { state, executive: executiveLogIn(incode, credentials, { now: () => state.ms }) };
}

describe('the log-in of an executive user', () => {
  it('gives the same token until an hour before its 24 hours are over', async () => {
    const { state, executive } = logIn();
    expect(await executive.token()).toBe('token-1');
    state.ms = 23 * HOUR - 1;
    expect(await executive.token()).toBe('token-1');
    state.ms = 23 * HOUR;
    expect(await executive.token()).toBe('token-2');
  });

  it('is made once for all who ask at the same time', async () => {
    const { state, executive } = logIn();
    expect(await Promise.all([executive.token(), executive.token(), executive.token()])).toEqual([
      'token-1',
      'token-1',
      'token-1',
    ]);
    expect(state.asked).toBe(1);
  });

  it('is repeated for a token that Incode has refused, and not for one that was exchanged before', async () => {
    const { state, executive } = logIn();
    const first = await executive.token();
    expect(await executive.token(first)).toBe('token-2');
    expect(await executive.token(first)).toBe('token-2');
    expect(state.asked).toBe(2);
  });

  it('is not repeated with the same password for 15 minutes after Incode has refused it', async () => {
    const { state, executive } = logIn();
    state.fails = 'tokenRefused';
    const refused = await thrown(executive.token());
    expect(refused).toMatchObject({ kind: 'misconfigured', operation: 'logIn', httpStatus: 401 });
    expect((refused as Error).message).toBe(
      'logIn: Incode answered 401 to the log-in of the executive user. Correct the e-mail and password, or the token, of the executive user.',
    );
    state.ms = 900_000 - 1;
    expect(await thrown(executive.token())).toBe(refused);
    expect(state.asked).toBe(1);
    state.ms = 900_000;
    await thrown(executive.token());
    expect(state.asked).toBe(2);
  });

  it('is repeated at once with another password', async () => {
    const { state, executive } = logIn();
    state.fails = 'tokenRefused';
    await thrown(executive.token());
    Object.assign(state, { fails: undefined, password: 'second password' });
    expect(await executive.token()).toBe('token-2');
  });

  it.each(['notTaken', 'apiKeyRefused'] as const)(
    'is repeated ten seconds after a failure of the kind %s',
    async (kind) => {
      const { state, executive } = logIn();
      state.fails = kind;
      expect(await thrown(executive.token())).toMatchObject({ kind });
      state.fails = undefined;
      state.ms = 10_000 - 1;
      expect(await thrown(executive.token())).toMatchObject({ kind });
      state.ms = 10_000;
      expect(await executive.token()).toBe('token-2');
    },
  );
});

describe('a given executive token', () => {
  it('is asked for again with the one that Incode refused', async () => {
    const asked: (string | undefined)[] = [];
    const executive = givenExecutiveToken((refused) => {
      asked.push(refused);
      return refused === 'old' ? 'new' : 'old';
    });
    expect([await executive.token(), await executive.token('old')]).toEqual(['old', 'new']);
    expect(asked).toEqual([undefined, 'old']);
  });

  it('that is still the refused one is for the operator to correct', async () => {
    const executive = givenExecutiveToken(() => 'old');
    expect(await thrown(executive.token('old'))).toMatchObject({ kind: 'misconfigured', operation: 'logIn' });
  });
});
