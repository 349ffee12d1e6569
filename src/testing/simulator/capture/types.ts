import type { CallMatch } from '../call-types.js';
import type { ImageFacts } from './image.js';

/** The images of a session. */
export type ImagePart = 'front' | 'back' | 'face';

/** An image that a session has received. The image itself is not kept. */
export interface Upload extends ImageFacts {
  /** Milliseconds since the epoch, by the simulator's clock. */
  at: number;
  part: ImagePart;
  /** 1 for the first upload of this part. */
  attempt: number;
  /** Whether the request had `retry=true`. */
  retry: boolean;
  captureType: string | null;
  /** Why the image was refused with HTTP 200. */
  failReason: string | null;
  /** Incode's code in the error body, if the image was refused with one. */
  code: number | null;
}

/** What a session has received, whatever its callers were told. */
export interface CaptureView {
  /** The newest 50, oldest first. */
  uploads: Upload[];
  /** Number of uploads by part, unreadable ones too. */
  attempts: Record<ImagePart, number>;
  /** How often each process call took effect. */
  processed: Record<'id' | 'face' | 'government' | 'watchlist', number>;
  consents: { user: boolean; ml: boolean };
  customFields: Record<string, string>;
}

/** The calls whose answers a test can script. */
export type ScriptableOperation =
  | 'addFrontId'
  | 'addBackId'
  | 'addFace'
  | 'processId'
  | 'processFace'
  | 'governmentValidation'
  | 'watchlist'
  | 'ocrData';

/**
 * Changes what matching calls answer. The calls take effect: a refused image counts as uploaded.
 *
 * @example simulator.script({ operation: 'addFrontId', answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
 */
export interface ScriptedAnswer extends CallMatch {
  operation: ScriptableOperation;
  /** Matches only uploads of this image. */
  sha256?: string;
  /** @default null: until the scripted answers are cleared */
  times?: number | null;
  /** Fields of the answer, such as `failReason`, `sharpness`, `confidence`, `skipBackIdCapture` or `valid`. */
  answer?: Record<string, unknown>;
  /** Names of fields that the answer leaves out. */
  omit?: string[];
  /** Incode's own code: the answer is an error body with this `status`. 4019: no face, 4005: spoof, 6000: the ID cannot be processed. */
  code?: number;
  /** HTTP status of the error body. @default `imageErrorStatus` of the behavior */
  httpStatus?: number;
  /** `message` of the error body. `null` leaves it out, as Incode sometimes does. */
  message?: string | null;
}
