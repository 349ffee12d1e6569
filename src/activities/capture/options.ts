import { MAX_IMAGE_BYTES } from '../../contract/capture.js';
import type { ImageSource } from '../../images/source.js';
import type { CaptureClient } from '../../incode/index.js';
import { ACTIVITY_DEFAULTS, type ActivityOptions } from '../options.js';
import type { ImageMemory } from './image-memory.js';

export interface CaptureActivityOptions
  extends Pick<ActivityOptions, 'incode' | 'executive' | 'settleTimeMs' | 'operatorRetryMs' | 'observe'> {
  capture: CaptureClient;
  /** Sources of images, such as `imageSources` of `temporal-incode/images`. */
  sources: readonly ImageSource[];
  /** The flow at Incode for people without one. @default none: every person needs one */
  configurationId?: string;
  /** Whether Incode limits each endpoint about documents and faces separately. `captureOnboarding` then uses more task queues. @default false */
  rateLimitPerEndpoint?: boolean;
  /** Interval between polls for the processing of an ID, in milliseconds. @default 3_000: processing takes some seconds. */
  processIdPollMs?: number;
  /**
   * How long to retry an image that ends early, in milliseconds, because it may still be written. After that, it counts as unusable.
   *
   * @default 300_000: 5 minutes.
   */
  truncatedForMs?: number;
}

export const CAPTURE_ACTIVITY_DEFAULTS = {
  settleTimeMs: ACTIVITY_DEFAULTS.settleTimeMs,
  operatorRetryMs: ACTIVITY_DEFAULTS.operatorRetryMs,
  processIdPollMs: 3_000,
  truncatedForMs: 300_000,
} as const;

/**
 * Room for eight of the largest images. Three such uploads at a time already exceed what Incode is said to allow an account, and smaller
 * images do not wait.
 */
export const IMAGE_MEMORY_BYTES = 8 * MAX_IMAGE_BYTES;

export type ResolvedCaptureOptions = CaptureActivityOptions &
  Required<Pick<CaptureActivityOptions, keyof typeof CAPTURE_ACTIVITY_DEFAULTS>> & { imageMemory: ImageMemory };
