import { claimCheck } from '../claim-check.js';
import { watchStandstills } from '../standstill.js';
import { guardedExecutive } from '../token-source.js';
import { collectResults } from './collect-results.js';
import { ImageMemory } from './image-memory.js';
import { pinImages, uploadBack, uploadFront, uploadSelfie } from './images.js';
import { openSession } from './open-session.js';
import {
  CAPTURE_ACTIVITY_DEFAULTS,
  type CaptureActivityOptions,
  IMAGE_MEMORY_BYTES,
  type ResolvedCaptureOptions,
} from './options.js';
import { awaitProcessed, governmentValidation, processFace, processId, watchlist } from './processing.js';
import { purge } from './purge.js';
import type { CaptureActivities } from './types.js';

/**
 * Creates the activities that open a session at Incode and fill it with images. Register them in your own worker.
 *
 * @example
 * ```ts
 * const capture = createCaptureClient({ baseUrl, apiKey });
 * const sources = [fileImages(['/images'])];
 * const activities = { ...createIncodeActivities({ incode }), ...createCaptureActivities({ incode, capture, sources }) };
 * ```
 */
export function createCaptureActivities(activityOptions: CaptureActivityOptions): CaptureActivities {
  const options: ResolvedCaptureOptions = {
    ...CAPTURE_ACTIVITY_DEFAULTS,
    ...activityOptions,
    imageMemory: new ImageMemory(IMAGE_MEMORY_BYTES),
    ...(activityOptions.executive ? { executive: guardedExecutive(activityOptions.executive) } : {}),
  };
  const checked = claimCheck(options);
  watchStandstills();

  return {
    pinImages: pinImages(options),
    openSession: openSession(options),
    uploadFront: checked(uploadFront(options)),
    uploadBack: checked(uploadBack(options)),
    uploadSelfie: checked(uploadSelfie(options)),
    processId: checked(processId(options)),
    awaitProcessed: checked(awaitProcessed(options)),
    processFace: checked(processFace(options)),
    governmentValidation: checked(governmentValidation(options)),
    watchlist: checked(watchlist(options)),
    purge: purge(options),
    collectResults: collectResults(options),
  };
}
