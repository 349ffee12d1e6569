import type { OperationName } from './operations.js';

/** One line of the audit log: who did what to which session. It has no secret and, about the person, only ids. */
export interface GatewayEvent extends GatewaySubject {
  operation: OperationName;
  /** Name of the token, `anybody` without tokens, `nobody` without a valid one. */
  caller: string;
  httpStatus: number;
  durationMs: number;
  /** Name of the problem that was answered. */
  problem?: string;
  /** For a problem whose answer does not say everything. */
  error?: unknown;
}

/** What an operation is about. Set once an id is known to be valid, so that the log has no text that anybody could choose. */
export interface GatewaySubject {
  interviewId?: string;
  batchId?: string;
  reference?: string;
}
