import type { ExecutiveToken, IncodeClient } from '../incode/index.js';
import type { Observe } from './observe.js';

/** Provides a token for a session that has none, or whose token Incode refused. */
export interface TokenSource {
  /**
   * @returns a fresh token for exactly this session
   * @throws IncodeError
   */
  token(interviewId: string, signal: AbortSignal): Promise<string>;
  /**
   * Set it if Incode issued each token in answer to a request for this id, and the answer named the id too. Then the token proves that an
   * answer is about this session.
   *
   * @default false: a source that looks up tokens may mix them up
   */
  readonly issuedByIncode?: boolean;
}

export interface ActivityOptions {
  /** Makes the calls to Incode. */
  incode: IncodeClient;
  /** Provides tokens. @default none: `reissueToken` answers `null` and workflows wait for `renewToken`. */
  tokenSource?: TokenSource;
  /**
   * A token that can read every session. With it, the worker reads status and score by id and confirms each finish and webhook.
   *
   * @default none: the worker reads with the session's own token
   */
  executive?: ExecutiveToken;
  /**
   * Set it if Incode refuses a read with the token of one session and the id of another. `temporal-incode verify-incode` finds out. Then the
   * read before the finish proves that the token belongs to the session.
   *
   * @default false: Incode does not document it
   */
  refusesForeignIds?: boolean;
  /**
   * Settle time: how long the worker leaves a session alone after a request that may still run at Incode, in milliseconds. Lower it only
   * if you know that Incode's own limit is lower. An earlier read can miss a finish that is still running.
   *
   * @default 30_000: Incode ends a request after 30 s on its side.
   */
  settleTimeMs?: number;
  /**
   * How long to wait for a status that confirms a request that may have taken effect, in milliseconds since that request. After that, a
   * session without a clear status ends as `unconfirmed`.
   *
   * @default 900_000: 15 minutes. A status lags by seconds, and a caller that waits for the answer would consider a longer wait stuck.
   */
  confirmFinishWithinMs?: number;
  /**
   * Interval between these reads of the status, in milliseconds.
   *
   * @default 10_000: the same as for a score.
   */
  confirmFinishPollMs?: number;
  /**
   * Timeout of `tokenSource`, in milliseconds. After it, the call fails and is retried.
   *
   * @default 10_000: a vault answers within a second.
   */
  tokenTimeoutMs?: number;
  /**
   * Interval between retries of a call that waits for an operator to correct the API key, base URL or proxy, in milliseconds.
   *
   * @default 60_000: sessions continue soon after the correction, and 1,000 waiting sessions make at most 17 requests/s.
   */
  operatorRetryMs?: number;
  /**
   * Interval between reads of a score that is not ready, in milliseconds.
   *
   * @default 10_000: Incode's SDKs read every 10 s.
   */
  scorePollMs?: number;
  /**
   * Interval between reads of the status of a session that waits for Incode's post-processing, in milliseconds. Temporal bills each read. A
   * lost webhook delays a session by at most this interval. Lower it if you receive no webhooks.
   *
   * @default 900_000: 15 minutes.
   */
  processedPollMs?: number;
  /**
   * Interval between reads of the status of a session in manual review, in milliseconds.
   *
   * @default 21_600_000: 6 hours. Reviewers take hours to days, and 30 days cost 120 reads.
   */
  reviewPollMs?: number;
  /**
   * How long Incode's status may lag, in milliseconds. During this time, the worker reads a status again that does not confirm a webhook or a
   * finish. The first pause is 1/36 of it, and each later pause is as long as all earlier ones together.
   *
   * @default 180_000: six reads within three minutes.
   */
  statusLagMs?: number;
  /** Called with every observation of the activities, for metrics. Its errors are ignored. @default none */
  observe?: Observe;
}

export const ACTIVITY_DEFAULTS = {
  settleTimeMs: 30_000,
  confirmFinishWithinMs: 900_000,
  confirmFinishPollMs: 10_000,
  tokenTimeoutMs: 10_000,
  operatorRetryMs: 60_000,
  scorePollMs: 10_000,
  processedPollMs: 900_000,
  reviewPollMs: 21_600_000,
  statusLagMs: 180_000,
} as const;

export type ResolvedActivityOptions = ActivityOptions & Required<Pick<ActivityOptions, keyof typeof ACTIVITY_DEFAULTS>>;
