import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { BATCH_WORKFLOW } from '../contract/index.js';
import { tooLong, unreadable } from './unreadable.js';

/**
 * The SDK fails the workflow task if a signal, update or start cannot be read, and does so again at each retry. Here the workflow
 * gets a mark instead, and decides. What its activities have answered is no message: that must be readable.
 */
class MarkingPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext, ...rest: unknown[]): T {
    if (isTooLong(payload, context)) return tooLong(MOST_BYTES) as T;
    try {
      return super.fromPayload<T>(payload, context, ...(rest as []));
    } catch (error) {
      if (context?.type !== 'workflow') throw error;
      return unreadable(payload) as T;
    }
  }
}

/**
 * Messages of a session have some hundred bytes and a token of at most 16 kB, what a run hands to the next at most 300 kB. To read two
 * megabytes takes many times their size in memory, and half a second of the thread that all workflows share.
 */
const MOST_BYTES = 524_288;

function isTooLong({ data }: Payload, context: SerializationContext | undefined): boolean {
  if (context?.type !== 'workflow' || (data?.length ?? 0) <= MOST_BYTES) return false;
  // A shard has thousands of sessions.
  return workflowInfo().workflowType !== BATCH_WORKFLOW;
}

/** For the bundle: `bundleWorkflowCode({ payloadConverterPath })`. */
export const payloadConverter: DefaultPayloadConverter = new MarkingPayloadConverter();
