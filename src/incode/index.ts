export type { CallOptions } from './caller.js';
export type {
  FaceMatchAnswer,
  GovernmentAnswer,
  IdImageAnswer,
  ImageAnswer,
  ImageCheck,
  ProcessIdAnswer,
  SelfieAnswer,
  WatchlistAnswer,
} from './capture/answers.js';
export { createCaptureClient } from './capture/client.js';
export { CAPTURE_CODES, mayHaveTakenEffect } from './capture/refusals.js';
export type { CaptureClient, CaptureClientOptions, ExecutiveAccess, IdUpload, Upload } from './capture/types.js';
export { createIncodeClient, type IncodeClient, type SessionAccess } from './client.js';
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
export type { StartRequest } from './start.js';
