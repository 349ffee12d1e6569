import { answerActivities } from './answer.js';
import { onboardingServiceHandler } from './handlers.js';

/** Handlers and waits need no CPU: each only waits for an answer from Temporal. */
const NEXUS_TASKS = 200;
const WAITS = 1_000;

/** A wait has two or three tasks of a few milliseconds. Each task may take 65 MB if its history is hostile. The SDK needs at least two. */
const WORKFLOW_TASKS = 2;

/** A wait has few events, so its replay is short. */
const CACHED_WORKFLOWS = 50;

/**
 * Options for a separate worker with a separate task queue. In an outage a thousand waiting callers must not block the calls that they
 * wait for.
 *
 * @param onboardingTaskQueue the task queue of the workers that complete sessions
 */
export function nexusWorkerOptions(taskQueue: string, onboardingTaskQueue: string) {
  return {
    taskQueue,
    nexusServices: [onboardingServiceHandler(onboardingTaskQueue)],
    activities: answerActivities,
    maxConcurrentNexusTaskExecutions: NEXUS_TASKS,
    maxConcurrentActivityTaskExecutions: WAITS,
    maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS,
    maxCachedWorkflows: CACHED_WORKFLOWS,
  };
}
