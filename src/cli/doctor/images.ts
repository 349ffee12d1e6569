import type { Connection } from '@temporalio/client';
import { allowsImages, type CaptureConfig, ConfigError, readCaptureConfig } from '../../config/index.js';
import { rootProblem } from '../../images/files.js';
import { captureQueues } from '../../worker/capture-queues.js';
import { type Check, check } from './check.js';
import { pollersOf, QUEUE_TYPES } from './pollers.js';

/** Checks the workers for images. Returns no check if no place for images is allowed, because workers then do not serve these queues. */
export async function imageChecks(connection: Connection, namespace: string, taskQueue: string): Promise<Check[]> {
  let config: CaptureConfig;
  try {
    config = readCaptureConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = error.problems.join('; ');
    return [{ name: 'image workers', status: 'failed', message, todo: 'Correct it: docs/capture.md' }];
  }
  if (!allowsImages(config)) return [];
  return [
    await check('image workers', () => imageWorkers(connection, namespace, taskQueue, config)),
    ...(config.imageRoots.length > 0 ? [await imageDirectories(config)] : []),
  ];
}

async function imageDirectories({ imageRoots }: CaptureConfig): Promise<Check> {
  const name = 'image directories';
  const found = await Promise.all(imageRoots.map(async (root) => ({ root, problem: await rootProblem(root) })));
  const problems = found.flatMap(({ root, problem }) => (problem === undefined ? [] : [`${root} ${problem}`]));
  if (problems.length === 0) return { name, status: 'ok', message: imageRoots.join(', ') };
  const todo = 'Mount the directory, give the worker the permission, or correct INCODE_IMAGE_ROOTS';
  return { name, status: 'failed', message: problems.join('; '), todo };
}

const START = 'Start a worker with INCODE_IMAGE_…, the same on all workers of the task queue: docs/capture.md';

async function imageWorkers(
  connection: Connection,
  namespace: string,
  taskQueue: string,
  config: CaptureConfig,
): Promise<Omit<Check, 'name'>> {
  const limits: string[] = [];
  const others: string[] = [];
  for (const queue of captureQueues(taskQueue, config)) {
    const { pollers, perSecond } = await pollersOf(connection, namespace, queue.taskQueue, QUEUE_TYPES.activities);
    if (pollers.length === 0) {
      const message = `${queue.taskQueue}: no worker has polled for activities within the last two minutes`;
      return { status: 'failed', message, todo: START };
    }
    limits.push(`${queue.taskQueue}: ${perSecond === null ? 'no limit' : `${Number(perSecond.toPrecision(6))}/s`}`);
    // The server keeps single-precision numbers.
    if (perSecond !== Math.fround(queue.perSecond)) others.push(`${queue.variable} is ${queue.perSecond} here`);
  }
  const message = limits.join(', ');
  if (others.length === 0) return { status: 'ok', message };
  return {
    status: 'warning',
    message: `${message}; ${[...new Set(others)].join(', ')}`,
    todo: 'Set the same rate limits everywhere, and restart the workers',
  };
}
