import type { CaptureConfig } from '../config/index.js';
import {
  backTaskQueue,
  documentTaskQueue,
  faceTaskQueue,
  frontTaskQueue,
  processFaceTaskQueue,
  processIdTaskQueue,
} from '../contract/capture-workflow.js';

/** A task queue with one of Incode's rate limits. It has activities only. */
export interface CaptureQueue {
  taskQueue: string;
  /** Activities per second, for all workers together. Each makes one call of its class. */
  perSecond: number;
  /** Sets the limit. */
  variable: string;
}

/**
 * The task queues of documents and faces that belong to the task queue of the workflows. Workers serve those of a limit per endpoint
 * without that setting too: people may have begun with it.
 */
export function captureQueues(taskQueue: string, config: CaptureConfig): CaptureQueue[] {
  const documents = { perSecond: config.documentRateLimit, variable: 'INCODE_DOCUMENT_RATE_LIMIT' };
  const faces = { perSecond: config.faceRateLimit, variable: 'INCODE_FACE_RATE_LIMIT' };
  return [
    { taskQueue: documentTaskQueue(taskQueue), ...documents },
    { taskQueue: frontTaskQueue(taskQueue), ...documents },
    { taskQueue: backTaskQueue(taskQueue), ...documents },
    { taskQueue: processIdTaskQueue(taskQueue), ...documents },
    { taskQueue: faceTaskQueue(taskQueue), ...faces },
    { taskQueue: processFaceTaskQueue(taskQueue), ...faces },
  ];
}
