import type { DurationString, Plan } from './types.js';

/** What to do with a person. It has all parts of a session's plan too. */
export interface CapturePlan extends Plan {
  /**
   * What happens if Incode refuses an image, and no other image can be expected:
   * - `continue`: the session continues, and its score shows the refusal;
   * - `wait`: the workflow waits for another image, by the update `replaceImage`;
   * - `fail`: the workflow fails with `IncodeImageRefused`.
   *
   * An image that cannot be read or sent fails the workflow with `ImageUnusable`, unless this is `wait`.
   *
   * @default "continue": Incode's own apps also continue after the last attempt of a person.
   */
  onRefusedImage?: 'continue' | 'wait' | 'fail';
  /**
   * How long to wait for another image. After that, the workflow continues as with `continue`. The stage `needsToken` has the same limit: while
   * Incode refuses every session token that it issues, the workflow asks for another one. After that, it fails with `IncodeTokenRefused`.
   *
   * @default "7 days": a person who has not sent another picture after a week rarely returns.
   */
  imageDeadline?: DurationString;
  /**
   * How long to wait until Incode has processed the document. After that, the session continues.
   *
   * @default "15 minutes": processing takes seconds.
   */
  processDeadline?: DurationString;
  /**
   * How long to wait for Incode's Session Started webhook if the answer to `POST /omni/start` was lost. After that, the workflow starts
   * another session.
   *
   * @default "2 minutes": Incode ends a request after 30 s, and usually delivers a webhook within seconds.
   */
  findSessionWithin?: DurationString;
  /**
   * Whether to ask the government's registry of the document's country, if your flow has one. Each request may be billed.
   *
   * @default false
   */
  government?: boolean;
  /**
   * Whether to search Incode's global watchlists for the person.
   *
   * @default false
   */
  watchlist?: boolean;
  /**
   * What to delete at Incode once the person has the outcome `approved`, `rejected` or `expired`:
   * - `none`: nothing;
   * - `images`: images and other personal data. The score remains;
   * - `session`: the whole session.
   *
   * Nobody can restore it. It needs the worker's executive token. After the outcomes `needsReview` and `undecided`, and for a person who
   * fails, nothing is deleted, because somebody has to look at the session.
   *
   * @default "none"
   */
  purge?: 'none' | 'images' | 'session';
}
