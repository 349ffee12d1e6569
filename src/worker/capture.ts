import { type CaptureActivities, createCaptureActivities } from '../activities/index.js';
import { allowsImages, type Config, readCaptureConfig } from '../config/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { imageSources } from '../images/index.js';
import { createCaptureClient } from '../incode/index.js';
import { type CaptureQueue, captureQueues } from './capture-queues.js';
import type { CreateWorkerOptions, IncodeAccess } from './options.js';

/** What a worker needs to onboard people from images. */
export interface Capture {
  activities: CaptureActivities;
  /** None without a place that images may come from, because no image reaches Incode then. */
  queues: CaptureQueue[];
  close(): Promise<void>;
}

export function createCapture(
  config: Config,
  { incode, executive }: IncodeAccess,
  options: CreateWorkerOptions,
): Capture {
  // Uploads take long, so they have their own connections.
  const capture = createCaptureClient({ ...config, ...omitUndefined({ onCall: options.onCall }) });
  // Without a configuration no place is allowed.
  const places = options.capture ?? readCaptureConfig({});
  const hasSources = allowsImages(places) || (options.imageSources ?? []).length > 0;
  const ownSources = imageSources(places);
  const activities = createCaptureActivities({
    incode,
    capture,
    sources: [...(options.imageSources ?? []), ...ownSources],
    settleTimeMs: config.settleTimeMs,
    processIdPollMs: places.processPollMs,
    rateLimitPerEndpoint: places.rateLimitPerEndpoint,
    ...omitUndefined({
      executive,
      observe: options.observe,
      configurationId: config.configurationId ?? undefined,
    }),
  });
  return {
    activities,
    queues: hasSources ? captureQueues(config.taskQueue, places) : [],
    close: async () => {
      await capture.close();
      // The host closes its own sources, which may serve others.
      await Promise.all(ownSources.map((source) => source.close?.()));
    },
  };
}

/** Concurrent activities. `IMAGE_MEMORY_BYTES` limits what they hold together. Incode's limit is about one call per second, and a call takes seconds. */
const MAX_UPLOADS = 8;

/** The options of the worker for one of these task queues. */
export function captureWorker({ taskQueue, perSecond }: CaptureQueue, { activities }: Capture) {
  return {
    taskQueue,
    activities,
    maxConcurrentActivityTaskExecutions: MAX_UPLOADS,
    // A partition of the task queue without a poll passes its tasks on to another one, which keeps them to its own rate too.
    activityTaskPollerBehavior: { type: 'simple-maximum' as const, maximum: MAX_UPLOADS },
    maxTaskQueueActivitiesPerSecond: perSecond,
  };
}
