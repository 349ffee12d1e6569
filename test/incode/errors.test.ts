import { describe, expect, it } from 'vitest';
import { ExecutiveRefusedError, IncodeError, type IncodeErrorKind } from '../../src/incode/index.js';

const facts = { operation: 'score', what: 'answered 500' } as const;

describe('IncodeError', () => {
  it.each<[IncodeErrorKind, string]>([
    ['badRequest', 'check the session and its flow'],
    ['unknownSession', 'check the interview id and the environment'],
    ['methodNotAllowed', 'check the base URL'],
    ['notAcceptable', 'refuses this request for good'],
    ['tokenRefused', 'hand in a fresh one'],
    ['apiKeyRefused', 'correct it'],
    ['misconfigured', 'Check the base URL and the proxy'],
    ['notTaken', 'may be repeated'],
    ['resultUnknown', 'check the status before repeating it'],
    ['maybeRunning', 'check the status later'],
  ])('an error of the kind %s says what to do: %s', (kind, advice) => {
    const error = new IncodeError({ kind, ...facts });
    expect(error.message).toMatch(/^score: Incode answered 500\. /);
    expect(error.message).toContain(advice);
    expect(error).toMatchObject({ name: 'IncodeError', kind, operation: 'score', httpStatus: undefined });
  });

  it('tells you to correct the executive user if Incode refuses it, and the base URL if the log-in is redirected', () => {
    const refused = new ExecutiveRefusedError('answered 400 to the log-in', 400);
    expect(refused.message).toContain('Correct the e-mail and password, or the token, of the executive user.');
    expect(refused).toMatchObject({ kind: 'misconfigured', operation: 'logIn', httpStatus: 400 });
    const redirected = new IncodeError({ kind: 'misconfigured', operation: 'logIn', what: 'redirects' });
    expect(redirected.message).toContain('Check the base URL and the proxy');
  });

  it("contains Incode's own code in its message and all facts as properties", () => {
    const answeredAt = new Date(0);
    const everything = {
      kind: 'resultUnknown',
      ...facts,
      httpStatus: 500,
      code: 4_015,
      retryAfterMs: 1,
      answeredAt,
    } as const;
    const error = new IncodeError(everything);
    expect(error.message).toContain('Incode answered 500 with code 4015.');
    expect(error).toMatchObject({ httpStatus: 500, code: 4_015, retryAfterMs: 1, answeredAt });
  });
});
