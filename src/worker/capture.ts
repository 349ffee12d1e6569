import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { type CaptureActivities, createCaptureActivities } from '../activities/index.js';
import { type CaptureConfig, type Config, readCaptureConfig } from '../config/index.js';
import { documentTaskQueue, faceTaskQueue } from '../contract/capture-workflow.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { type ImageSource, imageSources } from '../images/index.js';
import { createCaptureClient, type IncodeClient } from '../incode/index.js';
import { executiveToken } from './executive.js';
import type { CreateWorkerOptions } from './options.js';
import { limitTaskQueue } from './task-queue-limit.js';

/** What a worker needs to onboard people from images. */
export interface Capture {
  config: CaptureConfig;
  activities: CaptureActivities;
  /** Without a place that images may come from, no image ever reaches Incode. */
  hasSources: boolean;
  close(): Promise<void>;
}

export function createCapture(config: Config, incode: IncodeClient, options: CreateWorkerOptions): Capture {
  // Uploads take long, so they have their own connections.
  const capture = createCaptureClient({ ...config, ...omitUndefined({ onCall: options.onCall }) });
  // Every source is closed unless the host opens it.
  const places = options.capture ?? readCaptureConfig({});
  const sources = [...(options.imageSources ?? []), ...imageSources(places)];
  const executive = executiveToken(config, incode);
  const activities = createCaptureActivities({
    incode,
    capture,
    sources,
    settleTimeMs: config.settleTimeMs,
    processIdPollMs: places.processPollMs,
    ...omitUndefined({
      executive,
      observe: options.observe,
      configurationId: config.configurationId ?? undefined,
    }),
  });
  return {
    config: places,
    activities,
    hasSources: isOpen(places) || (options.imageSources ?? []).length > 0,
    close: async () => {
      await capture.close();
      await Promise.all(sources.map((source: ImageSource) => source.close?.()));
    },
  };
}

function isOpen({ imageRoots, imageHosts, imageBuckets }: CaptureConfig): boolean {
  return imageRoots.length + imageHosts.length + imageBuckets.length > 0;
}

/** Concurrent activities, each with at most one image of 7.5 MB. Incode's limit is about one call per second, and a call takes seconds. */
const MAX_UPLOADS = 8;

/** The task queues of documents and faces, with Incode's rate limits. They have no workflows. */
export function captureQueues({ taskQueue }: Config, { config, activities, hasSources }: Capture): CaptureQueue[] {
  if (!hasSources) return [];
  const queues: [string, number][] = [
    [documentTaskQueue(taskQueue), config.documentRateLimit],
    [faceTaskQueue(taskQueue), config.faceRateLimit],
  ];
  return queues.map(([name, perSecond]) => ({
    taskQueue: name,
    activities,
    maxConcurrentActivityTaskExecutions: MAX_UPLOADS,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
    maxTaskQueueActivitiesPerSecond: perSecond,
  }));
}

type CaptureQueue = WorkerOptions & { maxTaskQueueActivitiesPerSecond: number };

export async function limitCaptureQueues(
  connection: NativeConnection,
  namespace: string,
  queues: readonly CaptureQueue[],
): Promise<void> {
  for (const { taskQueue, maxTaskQueueActivitiesPerSecond: perSecond } of queues) {
    await limitTaskQueue(connection, { namespace, taskQueue }, perSecond);
  }
}
