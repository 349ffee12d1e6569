import type { IncodeErrorKind } from '../incode/index.js';

/** What the activities find out and nobody else sees, for metrics. Plain data, and nothing in it belongs to a session. */
export type ActivityEvent =
  /** A request to finish has ended so that nobody knows whether the session is finished. */
  | { type: 'ambiguousFinish'; kind: Extract<IncodeErrorKind, 'resultUnknown' | 'maybeRunning'> }
  /** The status was read before finishing. `unclear`: it is none that this package knows. `finished` has prevented a second completion. */
  | { type: 'verification'; result: 'finished' | 'expired' | 'open' | 'unclear' }
  /** A session has ended as `unconfirmed`. */
  | { type: 'unconfirmedFinish' }
  /** What a webhook said was held against Incode's answer. `unconfirmed`: no token was there to ask with. */
  | { type: 'hint'; result: 'confirmed' | 'contradicted' | 'unconfirmed' }
  /** Incode answered a request to finish, but the executive token does not find that session finished. */
  | { type: 'notConfirmed' }
  /** A session token belongs to another session. */
  | { type: 'tokenMismatch' }
  /** Incode refuses the executive user or token, so calls wait for the operator. */
  | { type: 'executiveRefused' }
  /** A go at a session of a batch. `postponed`: it has to be repeated, or waits for its score. */
  | { type: 'batchSession'; result: 'finished' | 'expired' | 'failed' | 'postponed' }
  /** Whether batches of this worker are held, because Incode is in trouble. */
  | { type: 'batchHeld'; held: boolean };

export type Observe = (event: ActivityEvent) => void;

/** Whoever counts must not be able to make an activity fail. */
export function emit(observe: Observe | undefined, event: ActivityEvent): void {
  try {
    observe?.(event);
  } catch {
    // It is the host's, and broken.
  }
}
