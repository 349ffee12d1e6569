import { answerActivities } from './answer.js';
import { onboardingServiceHandler } from './handlers.js';

/** Handlers and waits use no processor: each only waits for an answer of Temporal's. */
const NEXUS_TASKS = 200;
const WAITS = 1_000;

/** A wait has one step before it and one after it, and a replay of one is short. */
const CACHED_WORKFLOWS = 50;

/**
 * A worker of its own, with a queue of its own: a thousand callers that wait in an outage must not take the places of the calls
 * for which they wait.
 *
 * @param onboardingTaskQueue of the workers that complete sessions
 */
export function nexusWorkerOptions(taskQueue: string, onboardingTaskQueue: string) {
  return {
    taskQueue,
    nexusServices: [onboardingServiceHandler(onboardingTaskQueue)],
    activities: answerActivities,
    maxConcurrentNexusTaskExecutions: NEXUS_TASKS,
    maxConcurrentActivityTaskExecutions: WAITS,
    maxCachedWorkflows: CACHED_WORKFLOWS,
  };
}
