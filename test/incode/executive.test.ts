import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  executiveLogIn,
  givenExecutiveToken,
  IncodeError,
  type IncodeErrorKind,
  statusByExecutive,
} from '../../src/incode/index.js';
import { thrown } from '../support/thrown.js';

const HOUR = 3_600_000;

/** A log-in that returns token-1, token-2 and so on, or fails with the kind in `fails`. */
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

describe('executiveLogIn', () => {
  it('returns the same token until an hour before its 24 hours are over', async () => {
    const { state, executive } = logIn();
    expect(await executive.token()).toBe('token-1');
    state.ms = 23 * HOUR - 1;
    expect(await executive.token()).toBe('token-1');
    state.ms = 23 * HOUR;
    expect(await executive.token()).toBe('token-2');
  });

  it('logs in once for all concurrent callers', async () => {
    const { state, executive } = logIn();
    expect(await Promise.all([executive.token(), executive.token(), executive.token()])).toEqual([
      'token-1',
      'token-1',
      'token-1',
    ]);
    expect(state.asked).toBe(1);
  });

  it('logs in again after a refused token, but only once for the same token', async () => {
    const { state, executive } = logIn();
    const first = await executive.token();
    expect(await executive.token(first)).toBe('token-2');
    expect(await executive.token(first)).toBe('token-2');
    expect(state.asked).toBe(2);
  });

  it('does not retry a refused password for 15 minutes', async () => {
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

  it('logs in at once with a changed password', async () => {
    const { state, executive } = logIn();
    state.fails = 'tokenRefused';
    await thrown(executive.token());
    Object.assign(state, { fails: undefined, password: 'second password' });
    expect(await executive.token()).toBe('token-2');
  });

  it.each(['notTaken', 'apiKeyRefused'] as const)(
    'retries ten seconds after a failure of the kind %s',
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

describe('givenExecutiveToken', () => {
  it('reads the token again with the refused one', async () => {
    const asked: (string | undefined)[] = [];
    const executive = givenExecutiveToken((refused) => {
      asked.push(refused);
      return refused === 'old' ? 'new' : 'old';
    });
    expect([await executive.token(), await executive.token('old')]).toEqual(['old', 'new']);
    expect(asked).toEqual([undefined, 'old']);
  });

  it('fails as misconfigured if the token is still the refused one', async () => {
    const executive = givenExecutiveToken(() => 'old');
    expect(await thrown(executive.token('old'))).toMatchObject({ kind: 'misconfigured', operation: 'logIn' });
  });
});

describe('statusByExecutive', () => {
  const refusing = {
    onboardingStatus: async (): Promise<never> => {
      throw new IncodeError({ kind: 'tokenRefused', operation: 'onboardingStatus', what: 'answered 401' });
    },
  };
  const hanging = { token: () => new Promise<string>(() => undefined) };
  const { signal } = new AbortController();

  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks for another token once, also if there is none at all', async () => {
    const tokens = ['first', 'second', undefined, undefined, 'one too many'] as string[];
    const executive = { token: async () => tokens.shift() as string };
    for (let read = 0; read < 2; read += 1) {
      const refused = await thrown(statusByExecutive(refusing, executive, 'i-1', signal));
      expect(refused).toMatchObject({ kind: 'misconfigured', operation: 'logIn' });
    }
    expect(tokens).toEqual(['one too many']);
  });

  it('gives up a token that does not come within a minute, so that the session is not blocked', async () => {
    vi.useFakeTimers();
    const failure = thrown(statusByExecutive(refusing, hanging, 'i-1', signal));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await failure).toMatchObject({ kind: 'notTaken', operation: 'logIn' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['while it waits for the token', (aborting: AbortController) => setImmediate(() => aborting.abort())],
    ['before', (aborting: AbortController) => aborting.abort()],
  ])('gives up the token if the call is cancelled %s', async (_, abort) => {
    const aborting = new AbortController();
    abort(aborting);
    const failure = await thrown(statusByExecutive(refusing, hanging, 'i-1', aborting.signal));
    expect(failure).toMatchObject({ kind: 'notTaken', operation: 'logIn' });
  });
});
