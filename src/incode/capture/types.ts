import type { CallOptions } from '../caller.js';
import type { SessionAccess } from '../client.js';
import type { IncodeClientOptions } from '../options.js';
import type { StartResponse } from '../responses.js';
import type { StartRequest } from '../start.js';
import type {
  FaceMatchAnswer,
  GovernmentAnswer,
  IdImageAnswer,
  ProcessIdAnswer,
  SelfieAnswer,
  WatchlistAnswer,
} from './answers.js';

export interface CaptureClientOptions extends Omit<IncodeClientOptions, 'finishTimeoutMs'> {
  /**
   * Timeout of `start` and of the processing calls, in milliseconds.
   *
   * @default 35_000: Incode ends a request after 30 s on its side, and the answer needs time to arrive.
   */
  processTimeoutMs?: number;
  /** Timeout of an upload, in milliseconds. @default 90_000: 10 MB take 80 s at 1 Mbit/s. */
  uploadTimeoutMs?: number;
  /** Maximum number of connections, and therefore of concurrent calls. @default 16: Incode accepts about one upload per second. */
  connections?: number;
}

/** An image for a session. */
export interface Upload extends SessionAccess {
  /** JPEG or PNG. The client sends it unchanged and does not keep it. */
  image: Uint8Array;
}

export interface IdUpload extends Upload {
  /** Another image of this side may have been uploaded before. @default false */
  retry?: boolean;
}

/** A session, and a token that may read every session, and delete it. */
export interface ExecutiveAccess {
  interviewId: string;
  /** A session token is not enough. */
  executiveToken: string;
}

/**
 * Incode's calls that open a session and fill it with images: one attempt per call, no redirects, no retries. A refused image is an
 * answer. Every method that fails throws an `IncodeError` and nothing else.
 */
export interface CaptureClient {
  /**
   * Opens a session. It has no idempotency key: before you retry it, call `mayHaveTakenEffect`. With an `interviewId`, it takes over that
   * session.
   */
  start(request: StartRequest, options?: CallOptions): Promise<StartResponse>;
  /** Uploads the front of an ID. Safe to retry, because the newest image counts. */
  addFrontId(upload: IdUpload & { onlyFront?: boolean }, options?: CallOptions): Promise<IdImageAnswer>;
  addBackId(upload: IdUpload, options?: CallOptions): Promise<IdImageAnswer>;
  /** Starts the processing of the ID, which takes some seconds. */
  processId(session: SessionAccess, options?: CallOptions): Promise<ProcessIdAnswer>;
  /** Whether Incode has finished all processing of this session. Before `processId`, the answer has no meaning. */
  isFinished(session: SessionAccess, options?: CallOptions): Promise<{ finished: boolean }>;
  addFace(upload: Upload, options?: CallOptions): Promise<SelfieAnswer>;
  /** Compares the selfie with the ID. */
  processFace(session: SessionAccess, options?: CallOptions): Promise<FaceMatchAnswer>;
  /** Asks a government's registry, which may bill each call. */
  governmentValidation(session: SessionAccess, options?: CallOptions): Promise<GovernmentAnswer>;
  /** Searches watchlists for the person of the ID. Incode keeps the hits with the session. */
  watchlist(session: SessionAccess, options?: CallOptions): Promise<WatchlistAnswer>;
  /**
   * Reads Incode's verbose score, flattened: see `docs/capture.md`. It has no documented form, so names and values are Incode's.
   */
  verboseScore(session: ExecutiveAccess, options?: CallOptions): Promise<Record<string, string>>;
  /**
   * Reads what Incode has read from the ID, flattened in the same way: name, address, birth date, document number and more. **These are
   * personal data.** Do not return them from an activity, because Temporal would keep them.
   */
  ocrValues(session: ExecutiveAccess, options?: CallOptions): Promise<Record<string, string>>;
  /** Deletes images and personal data of a session at Incode. Its score remains. */
  deleteImages(deletion: ExecutiveAccess, options?: CallOptions): Promise<{ existed: boolean }>;
  /** Deletes a session at Incode. */
  deleteSession(deletion: ExecutiveAccess, options?: CallOptions): Promise<{ existed: boolean }>;
  /** Waits for calls in flight, then closes the connections. */
  close(): Promise<void>;
}
