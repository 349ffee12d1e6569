import type { ExecutiveToken, IncodeClient } from '../incode/index.js';
import type { Observe } from './observe.js';

/** Where a session's token comes from when nobody handed one in. */
export interface TokenSource {
  /**
   * @returns a fresh token for exactly this session
   * @throws IncodeError
   */
  token(interviewId: string, signal: AbortSignal): Promise<string>;
  /**
   * Incode has issued each token in answer to a request that named this id, and the answer named it too. So the token proves whose
   * answer it brings.
   *
   * @default false: a source that looks tokens up may mix them up
   */
  readonly issuedByIncode?: boolean;
}

export interface ActivityOptions {
  incode: IncodeClient;
  /** Without one, `reissueToken` answers `null` and workflows wait for `renewToken`. */
  tokenSource?: TokenSource;
  /**
   * Reaches every session: with it the worker reads status and score by id, and confirms each finish and each webhook.
   *
   * @default none: they are read with the session's own token
   */
  executive?: ExecutiveToken;
  /**
   * Incode refuses a session's token that reads the id of another session, as `temporal-incode verify-incode` finds out. Then the read
   * before finishing proves that the token fits.
   *
   * @default false: it is not documented
   */
  refusesForeignIds?: boolean;
  /**
   * How long after a request that may still be running at Incode the session is left alone, in milliseconds. Lower it
   * only where Incode's own limit is known to be lower: a status read before then can miss a completion under way.
   *
   * @default 30_000: Incode ends a request after 30 s on its side.
   */
  settleTimeMs?: number;
  /**
   * How long after a request that may have taken effect its status is waited for, in milliseconds. Then a session whose status still
   * tells nothing ends as `unconfirmed`. It begins when the request was sent.
   *
   * @default 900_000: 15 minutes. A status lags by seconds. Who waits for the answer sees longer ones as stuck.
   */
  confirmFinishWithinMs?: number;
  /**
   * How often the status is read meanwhile, in milliseconds.
   *
   * @default 10_000: as often as a score is asked for.
   */
  confirmFinishPollMs?: number;
  /**
   * How long `tokenSource` may take, in milliseconds. Then the call counts as failed, and is retried.
   *
   * @default 10_000: a vault answers within a second.
   */
  tokenTimeoutMs?: number;
  /**
   * How often a call that the operator has to mend (API key, base URL, proxy) is tried again, in milliseconds.
   *
   * @default 60_000: soon enough after the mending, and 1,000 waiting sessions make no more than 17 requests/s.
   */
  operatorRetryMs?: number;
  /**
   * How often a score that is not ready is asked for, in milliseconds.
   *
   * @default 10_000: Incode's SDKs ask every 10 s.
   */
  scorePollMs?: number;
  /**
   * How often a session that waits for Incode's post-processing is looked at, in milliseconds. Each look is billed; a webhook
   * that is lost for good costs at most this long. Lower it where no webhooks are received.
   *
   * @default 900_000: 15 minutes.
   */
  processedPollMs?: number;
  /**
   * How often a session in manual review is looked at, in milliseconds.
   *
   * @default 21_600_000: 6 hours. People take hours to days, and 30 days then cost 120 looks.
   */
  reviewPollMs?: number;
  /**
   * How long Incode's status may lag behind, in milliseconds. One that does not bear out a webhook, or a finish, is read again for so
   * long. The first pause is a 36th of it, and each pause is as long as all before it together.
   *
   * @default 180_000: six reads within three minutes.
   */
  statusLagMs?: number;
  /** Told what the activities find out. What it throws is passed over. @default nobody */
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
