import type { SimulatedOperation } from './types.js';

/** One call to the simulator. */
export interface Call {
  /** Milliseconds since the epoch, by the simulator's clock. */
  at: number;
  operation: SimulatedOperation;
  /** `null` if the call named no session. */
  interviewId: string | null;
  /** Of the called session, or of the session that `start` opens. `null` if it has none. */
  externalCustomerId: string | null;
  /** `null` if there was no answer. */
  httpStatus: number | null;
  /** When the call took effect or was processed, like `at`. `null` if it never was. */
  effectAt: number | null;
  /** The kind of the fault that applied. */
  fault: FaultKind | null;
}

/** Selects calls. It skips the first `skip` matches and then applies `times` times. */
export interface CallMatch {
  operation?: SimulatedOperation;
  interviewId?: string;
  /**
   * The session's reference. It also selects the start of a session that does not exist yet. The reference of a person from images selects
   * all sessions of that person.
   */
  externalCustomerId?: string;
  /** `Infinity`, or `null` in JSON, means until the faults are cleared. @default 1 */
  times?: number | null;
  /** @default 0 */
  skip?: number;
}

/** Whether and when a call takes effect at Incode although the caller does not get the answer. */
export interface FaultTiming {
  /** @default true for `truncated`, `body` and `huge`, which look like an answer of Incode; false for the others */
  effect?: boolean;
  /**
   * Time from the request to its effect, in milliseconds. The effect happens even if the caller gets another answer or disconnects.
   * Incode ends a request after 30 s (scaled), so a later effect never happens.
   *
   * @default 0: before the caller notices the fault
   */
  effectAfterMs?: number;
}

/** What a fault does to a call. */
export type FaultEffect =
  /**
   * The answer is delayed by `ms`. Beyond Incode's limit for a request, it is 504. The call takes effect after `effectAfterMs`, by
   * default after `ms`, even if the caller disconnects.
   */
  | { kind: 'latency'; ms: number; effectAfterMs?: number }
  /** No answer until Incode ends the request by closing the connection. */
  | (FaultTiming & { kind: 'hang' })
  /** An HTTP status with Incode's error body, a gateway's HTML, or an empty body. @default body "json" */
  | (FaultTiming & {
      kind: 'status';
      status: number;
      body?: 'json' | 'html' | 'empty';
      headers?: Record<string, string>;
      /** `status` of the error body, if it differs from the HTTP status. */
      code?: number;
      /** `message` of the error body. `null` leaves it out. */
      message?: string | null;
    })
  /** The connection is reset. */
  | (FaultTiming & { kind: 'reset' })
  /** Half of the answer, then the connection closes. */
  | (FaultTiming & { kind: 'truncated' })
  /** 200 with this body. */
  | (FaultTiming & { kind: 'body'; body: string })
  /** 200 with a JSON object of at least this size. @default bytes 5 MiB */
  | (FaultTiming & { kind: 'huge'; bytes?: number })
  /** A redirect to another URL. @default status 302 */
  | (FaultTiming & { kind: 'redirect'; location: string; status?: 301 | 302 | 303 | 307 | 308 });

/** A fault: which calls it affects, and what it does to them. */
export type Fault = CallMatch & FaultEffect;
export type FaultKind = FaultEffect['kind'];
