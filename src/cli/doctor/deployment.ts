import type { Connection } from '@temporalio/client';
import { type Check, check } from './check.js';
import { type Poller, pollersOf, QUEUE_TYPES, type Version } from './pollers.js';

/**
 * Checks whether new work reaches a worker with a version. Skipped if no worker has a version, because then all get work.
 *
 * @param taskQueues task queues of sessions and batches
 */
export async function deploymentChecks(
  connection: Connection,
  namespace: string,
  taskQueues: Record<string, string>,
): Promise<Check[]> {
  const checks = Object.entries(taskQueues).map(async ([name, taskQueue]): Promise<Check[]> => {
    const { pollers, current } = await pollersOf(connection, namespace, taskQueue, QUEUE_TYPES.workflows);
    if (current === null && pollers.every(({ version }) => version === null)) return [];
    return [await check(name, async () => deployment(taskQueue, pollers, current))];
  });
  return (await Promise.all(checks)).flat();
}

function deployment(taskQueue: string, pollers: Poller[], current: Version | null): Omit<Check, 'name'> {
  const versions = new Map(pollers.flatMap(({ version }) => (version ? [[inWords(version), version] as const] : [])));
  const newest = [...versions.values()].at(-1);
  const todo = newest ? setCurrent(newest) : '';
  const polling = [...versions.keys()].sort().join(', ');
  if (current === null) {
    const message = `${taskQueue}: no current version in deployment ${newest?.deploymentName}, polling: ${polling}`;
    return pollers.some(({ version }) => version === null)
      ? { status: 'warning', message: `${message}; workers without a version get new work`, todo }
      : { status: 'failed', message: `${message}; no new work starts`, todo };
  }
  if (!versions.has(inWords(current))) {
    const message = `${taskQueue}: no worker of the current version ${inWords(current)} has polled within the last two minutes`;
    return { status: 'failed', message, todo: `Start one${newest ? `, or: ${todo}` : ''}` };
  }
  return { status: 'ok', message: `${taskQueue}: current is ${inWords(current)}, polling: ${polling}` };
}

function inWords({ deploymentName, buildId }: Version): string {
  return `${deploymentName}:${buildId}`;
}

function setCurrent({ deploymentName, buildId }: Version): string {
  return `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`;
}
