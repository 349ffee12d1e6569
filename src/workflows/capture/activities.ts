import { type ActivityOptions, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CaptureActivities, UploadFrontInput } from '../../activities/capture/types.js';
import { documentTaskQueue, faceTaskQueue, frontTaskQueue } from '../../contract/capture-workflow.js';
import { cancellationFirst } from '../incode.js';
import { CALL } from '../options.js';

/** Reads up to three images of 30 s each. */
const PIN = { ...CALL, startToCloseTimeout: '3 minutes' } as const satisfies ActivityOptions;

/** An attempt whose worker dies is noticed by its heartbeats. The next one then knows that a session may have been opened. */
const OPEN = { ...CALL, startToCloseTimeout: '2 minutes' } as const satisfies ActivityOptions;

/** Reading an image takes at most 30 s, and sending 90 s. */
const UPLOAD = { ...CALL, startToCloseTimeout: '4 minutes' } as const satisfies ActivityOptions;

/** Asks only the Temporal server, about at most 200 people. */
const COLLECT = { startToCloseTimeout: '5 minutes', retry: CALL.retry } as const satisfies ActivityOptions;

/** A person whose session is open comes before one who has none, so that few sessions are half open. The server's default is 3. */
const BEGUN = { priority: { priorityKey: 2 } } as const satisfies ActivityOptions;

/** An outage of Incode may last hours. After a day somebody else has to delete, because the person's result waits meanwhile. */
const PURGE = { ...CALL, scheduleToCloseTimeout: '1 day' } as const satisfies ActivityOptions;

type Queue = (taskQueue: string, input: never) => string;

/** The opening of the session has taken the turn of its first front. */
function frontQueue(taskQueue: string, { retry }: UploadFrontInput): string {
  return retry ? documentTaskQueue(taskQueue) : frontTaskQueue(taskQueue);
}

/** Incode limits documents and faces separately. Each class has its own task queue, because Temporal limits the rate of a task queue. */
const OPTIONS: Record<keyof CaptureActivities, { options: ActivityOptions; queue?: Queue }> = {
  pinImages: { options: { ...PIN, summary: 'Read the images' } },
  openSession: { options: { ...OPEN, summary: 'Open a session at Incode' }, queue: documentTaskQueue },
  uploadFront: { options: { ...UPLOAD, ...BEGUN, summary: 'Upload the front' }, queue: frontQueue },
  uploadBack: { options: { ...UPLOAD, ...BEGUN, summary: 'Upload the back' }, queue: documentTaskQueue },
  processId: { options: { ...CALL, ...BEGUN, summary: 'Have the document processed' }, queue: documentTaskQueue },
  awaitProcessed: { options: { ...CALL, summary: 'Wait until the document is processed' } },
  uploadSelfie: { options: { ...UPLOAD, ...BEGUN, summary: 'Upload the selfie' }, queue: faceTaskQueue },
  processFace: { options: { ...CALL, ...BEGUN, summary: 'Have the faces compared' }, queue: faceTaskQueue },
  governmentValidation: { options: { ...CALL, summary: "Ask the government's registry" } },
  watchlist: { options: { ...CALL, summary: 'Search the watchlists' } },
  purge: { options: { ...PURGE, summary: 'Delete at Incode' } },
  collectResults: { options: { ...COLLECT, summary: 'Collect results of people' } },
};

/** The activities of a person. They are made for each call, because the task queue is that of the workflow. */
export const capture: CaptureActivities = Object.fromEntries(
  Object.keys(OPTIONS).map((name) => [name, (input: never) => call(name as keyof CaptureActivities, input)]),
) as unknown as CaptureActivities;

function call(name: keyof CaptureActivities, input: never): Promise<unknown> {
  const { options, queue } = OPTIONS[name];
  const taskQueue = queue ? { taskQueue: queue(workflowInfo().taskQueue, input) } : {};
  const activities = proxyActivities<CaptureActivities>({ ...options, ...taskQueue });
  return (activities[name] as (input: never) => Promise<unknown>)(input).catch(cancellationFirst);
}
