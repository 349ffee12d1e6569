import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { BATCH_WORKFLOW } from '../contract/index.js';
import { tooLarge, unreadable } from './unreadable.js';

/**
 * If a signal, update or start cannot be decoded, the SDK fails the workflow task, again at every retry. This converter gives the
 * workflow a mark instead. Results of activities get no mark, because the workflow cannot continue without them.
 */
class MarkingPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext, ...rest: unknown[]): T {
    if (isTooLarge(payload, context)) return tooLarge(MAX_MESSAGE_BYTES) as T;
    try {
      return super.fromPayload<T>(payload, context, ...(rest as []));
    } catch (error) {
      if (context?.type !== 'workflow') throw error;
      return unreadable(payload) as T;
    }
  }
}

/**
 * Messages of a session have some hundred bytes and a token of at most 16 kB. A record has at most 300 kB. Decoding 2 MB takes many
 * times that much memory, and half a second of the thread that all workflows share.
 */
const MAX_MESSAGE_BYTES = 524_288;

function isTooLarge({ data }: Payload, context: SerializationContext | undefined): boolean {
  if (context?.type !== 'workflow' || (data?.length ?? 0) <= MAX_MESSAGE_BYTES) return false;
  // Shards have thousands of sessions.
  return workflowInfo().workflowType !== BATCH_WORKFLOW;
}

/** The workflow bundle uses it: `bundleWorkflowCode({ payloadConverterPath })`. */
export const payloadConverter: DefaultPayloadConverter = new MarkingPayloadConverter();
