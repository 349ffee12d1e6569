export {
  type CallOptions,
  createIncodeClient,
  type IncodeClient,
  type SessionAccess,
  type StartRequest,
} from './client.js';
export { ExecutiveRefusedError, IncodeError, type IncodeErrorKind, type IncodeOperation } from './errors.js';
export {
  type Credentials,
  type ExecutiveToken,
  executiveLogIn,
  givenExecutiveToken,
  scoreByExecutive,
  statusByExecutive,
} from './executive.js';
export type { IncodeCall, IncodeClientOptions } from './options.js';
export type { FinishStatusResponse, ScoreResponse, StartResponse } from './responses.js';
