import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createCaptureActivities, createIncodeActivities, type TokenSource } from '../../src/activities/index.js';
import { guardedTokenSource } from '../../src/activities/token-source.js';
import { FAILURES } from '../../src/contract/index.js';
import { type CaptureClient, type ExecutiveToken, type IncodeClient, IncodeError } from '../../src/incode/index.js';
import { keepSecret } from '../../src/secrets/index.js';

const SIGNAL = new AbortController().signal;

async function failureOf(
  token: TokenSource['token'],
  signal = SIGNAL,
  timeoutMs = 10_000,
): Promise<ApplicationFailure> {
  const failure = await guardedTokenSource({ token }, timeoutMs)
    .token('i-1', signal)
    .catch((error) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure;
}

const throwing = (error: unknown) => async () => {
  throw error;
};

describe('guardedTokenSource', () => {
  it('returns the token of the source', async () => {
    const source = guardedTokenSource({ token: async (interviewId) => `token-of-${interviewId}` }, 10_000);
    expect(await source.token('i-1', SIGNAL)).toBe('token-of-i-1');
  });

  it.each([undefined, null, '', 'two\nlines', 7, {}])(
    'fails and is retried if the source returns %j',
    async (token) => {
      const failure = await failureOf(async () => token as string);
      expect(failure).toMatchObject({ type: FAILURES.tokenSourceFailed, nonRetryable: false });
      expect(failure.message).toMatch(/^Session i-1: the token source failed: its token must be /);
    },
  );

  it('fails after the timeout if the source hangs and ignores its signal', async () => {
    const failure = await failureOf(() => new Promise(() => undefined), SIGNAL, 20);
    expect(failure).toMatchObject({ type: FAILURES.tokenSourceFailed, nonRetryable: false });
    expect(failure.message).toBe('Session i-1: the token source failed: it gave no token within 0.02 s');
  });

  it('aborts the signal of the source after the timeout', async () => {
    let told: AbortSignal | undefined;
    await failureOf(
      (_, signal) => {
        told = signal;
        return new Promise(() => undefined);
      },
      SIGNAL,
      20,
    );
    expect(told?.aborted).toBe(true);
  });

  it('ends with the call if the source hangs', async () => {
    const call = new AbortController();
    const failure = failureOf(() => new Promise(() => undefined), call.signal);
    call.abort();
    expect((await failure).message).toContain('the call was cancelled');
    expect((await failureOf(() => new Promise(() => undefined), call.signal)).message).toContain('was cancelled');
  });

  it('treats a source that throws like one that rejects', async () => {
    const failure = await failureOf(() => {
      throw new Error('the vault is sealed');
    });
    expect(failure.message).toBe('Session i-1: the token source failed: the vault is sealed');
  });

  it('redacts secrets in errors of the source', async () => {
    keepSecret('vault-password-1');
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"interviewId":"i-1"}').toString('base64url')}.c2lnbmF0dXJl`;
    const cause = new Error('cause with vault-password-1');
    const error = new Error(`POST https://vault.example/t?key=1 refused vault-password-1 and ${jwt}`, { cause });
    const failure = await failureOf(throwing(error));
    const everything = `${failure.message} ${failure.stack} ${JSON.stringify(failure)} ${failure.cause}`;
    for (const secret of ['vault-password-1', jwt, 'key=1']) expect(everything).not.toContain(secret);
    expect(failure.message).toContain('refused [redacted]');
  });

  it('does not show a part of a secret where a long error is cut', async () => {
    const secret = keepSecret('a-key-that-is-cut-in-the-middle');
    const failure = await failureOf(throwing(new Error(`${'x'.repeat(490)} ${secret}`)));
    expect(failure.message).not.toContain('a-key');
    expect(failure.message.length).toBeLessThan(600);
  });

  it('follows nonRetryable of an ApplicationFailure of the source, but drops its details', async () => {
    const rejection = ApplicationFailure.create({
      type: 'Gone',
      message: 'no such person',
      nonRetryable: true,
      details: ['x'],
    });
    const failure = await failureOf(throwing(rejection));
    expect(failure).toMatchObject({ type: 'Gone', nonRetryable: true });
    expect(failure.details ?? []).toEqual([]);
  });

  it("passes on Incode's own errors, which contain no secret", async () => {
    const error = new IncodeError({ kind: 'notTaken', operation: 'start', what: 'answered 503' });
    await expect(guardedTokenSource({ token: throwing(error) }, 10_000).token('i-1', SIGNAL)).rejects.toBe(error);
  });
});

describe('an executive token of the host', () => {
  const confirm = async (executive: ExecutiveToken): Promise<ApplicationFailure> => {
    const { confirmFinish } = createIncodeActivities({ incode: {} as IncodeClient, executive });
    const input = { interviewId: 'i-1', finish: null };
    return new MockActivityEnvironment().run(confirmFinish, input).catch((error: ApplicationFailure) => error) as never;
  };

  it('is asked again after an error, which is redacted', async () => {
    keepSecret('vault-password-2');
    const failure = await confirm({ token: throwing(new Error('the vault refused vault-password-2')) });
    expect(failure).toMatchObject({ type: FAILURES.notTaken, nonRetryable: false });
    expect(failure.message).toContain('the executive token failed: the vault refused [redacted]');
    expect(`${failure.stack} ${JSON.stringify(failure)} ${failure.cause}`).not.toContain('vault-password-2');
  });

  it('is redacted by the activities of people too', async () => {
    keepSecret('vault-password-3');
    const { awaitProcessed } = createCaptureActivities({
      incode: {} as IncodeClient,
      capture: { isFinished: async () => ({ finished: true }) } as unknown as CaptureClient,
      sources: [],
      executive: { token: throwing(new Error('the vault refused vault-password-3')) },
    });
    const input = { interviewId: 'i-1', sessionToken: 'opaque', processedWithinMs: 1_000, confirm: true as const };
    const failure = await new MockActivityEnvironment().run(awaitProcessed, input).catch((error: Error) => error);
    expect(String(failure)).toContain('the executive token failed: the vault refused [redacted]');
  });

  it("passes on Incode's own errors", async () => {
    const error = new IncodeError({ kind: 'misconfigured', operation: 'logIn', what: 'answered 401' });
    expect(await confirm({ token: throwing(error) })).toMatchObject({ type: FAILURES.misconfigured });
  });
});
