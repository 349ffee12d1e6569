import { ApplicationFailure } from '@temporalio/common';
import { checkSessionToken, FAILURES } from '../contract/index.js';
import { type IncodeClient, IncodeError } from '../incode/index.js';
import { redacted } from '../secrets/index.js';
import type { TokenSource } from './options.js';

export interface ReissueOptions {
  /** Incode's configuration (flow) id, which `POST /omni/start` demands even for a session that exists. */
  configurationId: string;
}

/** The built-in token source: Incode gives a session that exists a fresh token through `POST /omni/start`. */
export function reissuingTokenSource(incode: IncodeClient, { configurationId }: ReissueOptions): TokenSource {
  return {
    issuedByIncode: true,
    async token(interviewId, signal) {
      const session = await incode.start({ configurationId, interviewId }, { signal });
      if (session.interviewId !== interviewId) {
        // Without this check a session that Incode has forgotten would be replaced by a new, empty one.
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
 * A host's token source may hang, give no token, or name a secret in its errors. This one ends in time, gives only what can be sent as a
 * header, and redacts.
 */
export function guardedTokenSource(source: TokenSource, timeoutMs: number): TokenSource {
  return {
    ...(source.issuedByIncode ? { issuedByIncode: true } : {}),
    async token(interviewId, signal) {
      try {
        const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const why = () =>
          signal.aborted ? 'the call was cancelled' : `it gave no token within ${timeoutMs / 1_000} s`;
        // It may ignore the signal.
        const given = await Promise.race([source.token(interviewId, ended), rejectedBy(ended, why)]);
        return checkSessionToken(given, 'its token');
      } catch (error) {
        throw error instanceof IncodeError ? error : sourceFailure(interviewId, error);
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

/** What was thrown is not passed on: its stack, its cause and its details may repeat a secret too. */
function sourceFailure(interviewId: string, error: unknown): ApplicationFailure {
  const known = error instanceof ApplicationFailure ? error : undefined;
  const said = readable(error instanceof Error ? error.message : String(error));
  return ApplicationFailure.create({
    type: known?.type ?? FAILURES.tokenSourceFailed,
    message: said.includes(interviewId) ? said : `Session ${interviewId}: the token source failed: ${said}`,
    nonRetryable: known?.nonRetryable ?? false,
    ...(known?.nextRetryDelay ? { nextRetryDelay: known.nextRetryDelay } : {}),
  });
}

/** Longer texts say no more to people, and take the redaction longer. */
const MAX_TEXT = 500;

function readable(text: string): string {
  // Without the word that is cut: the beginning of a secret is not recognized.
  const whole = text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT).replace(/\S*$/, '')}…`;
  return redacted(whole);
}
