import { ApplicationFailure } from '@temporalio/common';
import { checkSessionToken, FAILURES } from '../contract/index.js';
import { type ExecutiveToken, type IncodeClient, IncodeError } from '../incode/index.js';
import { redacted } from '../secrets/index.js';
import type { TokenSource } from './options.js';

export interface ReissueOptions {
  /** Incode's configuration (flow) id. `POST /omni/start` requires it even for an existing session. */
  configurationId: string;
}

/**
 * The built-in token source. Incode issues a fresh token for an existing session through `POST /omni/start`.
 *
 * @example
 * const tokenSource = reissuingTokenSource(incode, { configurationId: 'my-flow' });
 */
export function reissuingTokenSource(incode: IncodeClient, { configurationId }: ReissueOptions): TokenSource {
  return {
    issuedByIncode: true,
    async token(interviewId, signal) {
      const session = await incode.start({ configurationId, interviewId }, { signal });
      if (session.interviewId !== interviewId) {
        // For a session that Incode no longer knows, it may open a new, empty session.
        throw ApplicationFailure.nonRetryable(
          `Session ${interviewId}: Incode answered with the token of another session. Check that it exists there, and hand in its token.`,
          FAILURES.wrongSession,
        );
      }
      return session.token;
    },
  };
}

/**
 * Wraps a host's token source, which may hang, return no token, or name a secret in its errors. Adds a timeout, returns only tokens that fit
 * into a header, and redacts errors.
 */
export function guardedTokenSource(source: TokenSource, timeoutMs: number): TokenSource {
  return {
    ...(source.issuedByIncode ? { issuedByIncode: true } : {}),
    async token(interviewId, signal) {
      try {
        const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const why = () =>
          signal.aborted ? 'the call was cancelled' : `it gave no token within ${timeoutMs / 1_000} s`;
        // The source may ignore the signal.
        const token = await Promise.race([source.token(interviewId, ended), rejectedBy(ended, why)]);
        return checkSessionToken(token, 'its token');
      } catch (error) {
        throw error instanceof IncodeError ? error : sourceFailure(interviewId, error);
      }
    },
  };
}

/** Wraps a host's executive token, whose errors may name a secret. */
export function guardedExecutive(executive: ExecutiveToken): ExecutiveToken {
  return {
    async token(refused) {
      try {
        return await executive.token(refused);
      } catch (error) {
        if (error instanceof IncodeError) throw error;
        const what = `was not asked: the executive token failed: ${textOf(error)}`;
        throw new IncodeError({ kind: 'notTaken', operation: 'logIn', what });
      }
    },
  };
}

function rejectedBy(signal: AbortSignal, why: () => string): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new Error(why()));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Creates a new failure, because stack, cause and details of the source's error may contain a secret. */
function sourceFailure(interviewId: string, error: unknown): ApplicationFailure {
  const known = error instanceof ApplicationFailure ? error : undefined;
  const said = textOf(error);
  return ApplicationFailure.create({
    type: known?.type ?? FAILURES.tokenSourceFailed,
    message: said.includes(interviewId) ? said : `Session ${interviewId}: the token source failed: ${said}`,
    nonRetryable: known?.nonRetryable ?? false,
    ...(known?.nextRetryDelay ? { nextRetryDelay: known.nextRetryDelay } : {}),
  });
}

/** Longer texts help nobody and slow the redaction down. */
const MAX_TEXT = 500;

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Drops the last word if it is cut, because redaction does not recognize the beginning of a secret.
  const whole = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT).replace(/\S*$/, '')}…`;
  return redacted(whole);
}
