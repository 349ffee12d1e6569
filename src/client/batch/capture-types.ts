import type { Client } from '@temporalio/client';
import type { CapturePerson, CapturePlan, CaptureRow } from '../../contract/index.js';
import type { BatchOptions } from './types.js';

/** An `OnboardingClient`, or any object with a Temporal client. */
export interface CaptureHost {
  /** The Temporal client that sends the requests. */
  readonly temporal: Client;
  /** Task queue of the workers. @default "incode-onboarding" */
  readonly taskQueue?: string;
}

/** Options that mean the same for sessions and for people. */
type CommonOptions = Pick<BatchOptions, 'order' | 'signal' | 'onProgress' | 'progressIntervalMs'>;

export interface CaptureBatchOptions extends CommonOptions {
  /** Name of the batch, as for sessions. @default a new id, which the returned {@link CaptureBatch} holds */
  batchId?: string;
  /** What to do with each person. Use the same plan when you run the batch again. @default the defaults of each part */
  plan?: CapturePlan;
  /** Task queue of the workers. @default `taskQueue` of the client */
  taskQueue?: string;
  /**
   * Starts people again who have failed, in completed shards of this batch and under earlier lists. A person who fails after a session was
   * opened gets another session.
   *
   * @default false
   */
  retryFailed?: boolean;
  /**
   * Called for each person just before their shard starts, for example to add the digests of their images. Not called for people whom the
   * server has already. It must not change the reference.
   *
   * @default none
   */
  beforeStart?: (person: CapturePerson) => CapturePerson | Promise<CapturePerson>;
  /**
   * Called for each person whom the server has already. Return the person with the digests of the images as they are now: if an image is
   * another one than the result is about, the item has the failure `PersonDiffers` instead of that result.
   *
   * @default none: only images whose digest is in the list are compared
   */
  beforeAttach?: (person: CapturePerson) => CapturePerson | Promise<CapturePerson>;
  /**
   * Number of shards that run on the server at the same time. Raise it if people wait for a reviewer or another image, because a shard
   * lasts as long as its slowest person.
   *
   * @default 16
   */
  window?: number;
  /** People per shard, 1 to 200. Use the same size when you run the batch again. @default 200 */
  shardSize?: number;
  /** The exact number of people. A batch that runs again with another number is refused. @default the length of an array */
  total?: number;
}

/** A batch of people that runs while you iterate over it. Iterate only once. */
export interface CaptureBatch extends AsyncIterable<CaptureItem> {
  /** Your id, or a new one. Keep it to attach to the batch, stop it or read its progress. */
  readonly batchId: string;
}

/** The result of one person. */
export interface CaptureItem extends CaptureRow {
  /** Position in the input, from 0. */
  index: number;
  /** Your own id of the person. */
  reference: string;
}
