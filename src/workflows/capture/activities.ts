import { type ActivityOptions, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CaptureActivities, UploadFrontInput } from '../../activities/capture/types.js';
import {
  backTaskQueue,
  documentTaskQueue,
  faceTaskQueue,
  frontTaskQueue,
  processFaceTaskQueue,
  processIdTaskQueue,
} from '../../contract/capture-workflow.js';
import { cancellationFirst } from '../incode.js';
import { CALL } from '../options.js';

/** Reads up to three images of 30 s each. */
const PIN = { ...CALL, startToCloseTimeout: '3 minutes' } as const satisfies ActivityOptions;

/** An attempt whose worker dies is noticed by its heartbeats. The next one then knows that a session may have been opened. */
const OPEN = { ...CALL, startToCloseTimeout: '2 minutes' } as const satisfies ActivityOptions;

/** Reading an image takes at most 30 s, and sending 90 s. */
const UPLOAD = { ...CALL, startToCloseTimeout: '4 minutes' } as const satisfies ActivityOptions;

/** Asks the Temporal server about at most 200 people, and may read images for minutes. Few heartbeats, because each is billed. */
const COLLECT = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: CALL.retry,
} as const satisfies ActivityOptions;

/** A person whose session is open comes before one who has none, so that few sessions are half open. The server's default is 3. */
const BEGUN = { priority: { priorityKey: 2 } } as const satisfies ActivityOptions;

/** An outage of Incode may last hours. After a day somebody else has to delete, because the person's result waits meanwhile. */
const PURGE = { ...CALL, scheduleToCloseTimeout: '1 day' } as const satisfies ActivityOptions;

type Queue = (taskQueue: string, input: never) => string;

/** The opening of the session has taken the turn of its first front. */
function frontQueue(taskQueue: string, { retry }: UploadFrontInput): string {
  return retry ? documentTaskQueue(taskQueue) : frontTaskQueue(taskQueue);
}

interface Call {
  options: ActivityOptions;
  /** @default the task queue of the workflow */
  queue?: Queue;
  /** If Incode limits each endpoint separately. @default `queue` */
  endpointQueue?: Queue;
}

/** Incode limits documents and faces separately. Each class has its own task queue, because Temporal limits the rate of a task queue. */
const CALLS: Record<keyof CaptureActivities, Call> = {
  pinImages: { options: { ...PIN, summary: 'Read the images' } },
  openSession: { options: { ...OPEN, summary: 'Open a session at Incode' }, queue: documentTaskQueue },
  uploadFront: { options: { ...UPLOAD, ...BEGUN, summary: 'Upload the front' }, queue: frontQueue },
  uploadBack: {
    options: { ...UPLOAD, ...BEGUN, summary: 'Upload the back' },
    queue: documentTaskQueue,
    endpointQueue: backTaskQueue,
  },
  processId: {
    options: { ...CALL, ...BEGUN, summary: 'Have the document processed' },
    queue: documentTaskQueue,
    endpointQueue: processIdTaskQueue,
  },
  awaitProcessed: { options: { ...CALL, summary: 'Wait until the document is processed' } },
  uploadSelfie: { options: { ...UPLOAD, ...BEGUN, summary: 'Upload the selfie' }, queue: faceTaskQueue },
  processFace: {
    options: { ...CALL, ...BEGUN, summary: 'Have the faces compared' },
    queue: faceTaskQueue,
    endpointQueue: processFaceTaskQueue,
  },
  governmentValidation: { options: { ...CALL, summary: "Ask the government's registry" } },
  watchlist: { options: { ...CALL, summary: 'Search the watchlists' } },
  purge: { options: { ...PURGE, summary: 'Delete at Incode' } },
  collectResults: { options: { ...COLLECT, summary: 'Collect results of people' } },
};

/** The activities of a person. They are made for each call, because the task queue is that of the workflow. */
export const capture = activitiesOn(({ queue }) => queue);

/** The same for people whose session was opened by a worker that is configured for a limit per endpoint. */
export const capturePerEndpoint = activitiesOn(({ queue, endpointQueue }) => endpointQueue ?? queue);

function activitiesOn(queueOf: (call: Call) => Queue | undefined): CaptureActivities {
  const entries = Object.entries(CALLS).map(([name, call]) => {
    const queue = queueOf(call);
    const schedule = (input: never) => {
      const taskQueue = queue ? { taskQueue: queue(workflowInfo().taskQueue, input) } : {};
      const activities = proxyActivities<CaptureActivities>({ ...call.options, ...taskQueue });
      const activity = activities[name as keyof CaptureActivities] as (input: never) => Promise<unknown>;
      return activity(input).catch(cancellationFirst);
    };
    return [name, schedule];
  });
  return Object.fromEntries(entries);
}
