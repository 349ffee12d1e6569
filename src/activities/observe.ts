import type { ImageProblem } from '../images/errors.js';
import type { IncodeErrorKind } from '../incode/index.js';

/** An observation of the activities, for metrics. Plain data that identifies no session. */
export type ActivityEvent =
  /** A request to finish ended without saying whether the session is finished. */
  | { type: 'ambiguousFinish'; kind: Extract<IncodeErrorKind, 'resultUnknown' | 'maybeRunning'> }
  /** The status was read before finishing. `unclear`: this package does not know the status. `finished`: the read prevented a second finish. */
  | { type: 'verification'; result: 'finished' | 'expired' | 'open' | 'unclear' }
  /** A session ended as `unconfirmed`. */
  | { type: 'unconfirmedFinish' }
  /** A webhook was compared with Incode's answer. `unconfirmed`: there was no token to ask Incode with. */
  | { type: 'hint'; result: 'confirmed' | 'contradicted' | 'unconfirmed' }
  /** Incode answered a request to finish, but a read with the executive token shows the session as unfinished. */
  | { type: 'notConfirmed' }
  /** A session token belongs to another session. */
  | { type: 'tokenMismatch' }
  /** The answer to a `start` was lost, and its session was not found. The person gets another session. */
  | { type: 'suspectedOrphan' }
  /** A worker could not read an image, and tries again. */
  | { type: 'imageNotReady'; problem: ImageProblem }
  /** Incode refuses the executive user or token, so calls wait for the operator. */
  | { type: 'executiveRefused' }
  /** An attempt of a session in a batch ended. `postponed`: the session waits for a retry or for its score. */
  | { type: 'batchSession'; result: 'finished' | 'expired' | 'failed' | 'postponed' }
  /** The circuit breaker of this worker's batches opened (`true`) or closed. */
  | { type: 'batchHeld'; held: boolean };

export type Observe = (event: ActivityEvent) => void;

/** Calls the observer. Its errors must not fail an activity. */
export function emit(observe: Observe | undefined, event: ActivityEvent): void {
  try {
    observe?.(event);
  } catch {
    // The host's observer is broken.
  }
}
