import { randomUUID } from 'node:crypto';
import { type CapturePerson, checkBatchId, MAX_SHARD_PEOPLE, TASK_QUEUE } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { CaptureBatch, CaptureBatchOptions, CaptureHost } from './capture-types.js';
import { peopleKind } from './people.js';
import { runBatch } from './run.js';

/**
 * Onboards any number of people from images. It works as `completeBatch` does for sessions: the batch runs while you iterate over it, the
 * server continues without this process, and the same batch attaches to it. A person whose workflow was started before, by another list or a
 * service, is attached to as well. A person who fails yields an item with a `failure`.
 *
 * @example
 * ```ts
 * for await (const { reference, interviewId, outcome, failure } of captureBatch(onboarding, people, { batchId: 'week-48' })) {
 *   console.log(reference, interviewId, outcome ?? failure?.type);
 * }
 * ```
 * @throws InvalidInputError at once for an option, and before their shard starts for a person
 * @throws BatchMismatchError if the server knows the batch with another list or plan
 * @throws BatchShardError if someone cancels or terminates a shard, or it fails
 * @throws BatchDetachedError if your signal is aborted
 * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
 * @throws TemporalUnavailableError if Temporal refuses the caller, or is away for ten minutes
 */
export function captureBatch(
  { temporal: client, taskQueue = TASK_QUEUE }: CaptureHost,
  people: Iterable<CapturePerson> | AsyncIterable<CapturePerson>,
  options: CaptureBatchOptions = {},
): CaptureBatch {
  const batchId = checkBatchId(options.batchId ?? `people-${randomUUID()}`);
  const { plan = {}, retryFailed = false, beforeStart = (person) => person, beforeAttach } = options;
  const run = runBatch({
    client,
    batchId,
    kind: peopleKind({ plan, retryFailed, beforeStart, ...omitUndefined({ beforeAttach }) }),
    taskQueue: options.taskQueue ?? taskQueue,
    items: people,
    shardSize: { size: options.shardSize ?? MAX_SHARD_PEOPLE, max: MAX_SHARD_PEOPLE },
    options,
  });
  return { batchId, [Symbol.asyncIterator]: run };
}
