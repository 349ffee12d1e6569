import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW } from '../contract/index.js';
import { CLAIMS_WORKFLOW } from '../contract/names.js';
import { postponed, tooLarge, unreadable } from './unreadable.js';

/**
 * If a signal, update or start cannot be decoded, the SDK fails the workflow task, again at every retry. This converter gives the
 * workflow a mark instead. Results of activities get no mark, because the workflow cannot continue without them.
 */
class MarkingPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext, ...rest: unknown[]): T {
    if (!isMessage(context)) return super.fromPayload<T>(payload, context, ...(rest as []));
    if (isTooLarge(payload)) return tooLarge(MAX_MESSAGE_BYTES) as T;
    const read = () => {
      try {
        return super.fromPayload<T>(payload, context, ...(rest as []));
      } catch {
        return unreadable(payload) as T;
      }
    };
    return (payload.data?.length ?? 0) > MAX_BYTES_AT_ONCE ? (postponed(read) as T) : read();
  }
}

/** The result of a child has the context of the child. The workflow cannot continue without it, as without that of an activity. */
function isMessage(context: SerializationContext | undefined): boolean {
  return context?.type === 'workflow' && context.workflowId === workflowInfo().workflowId;
}

/**
 * Above this size a message is decoded when the workflow reads it. The SDK decodes all waiting signals before the first one is handled,
 * and decoded JSON takes up to twenty times its size: five shards with 46 MB of nested lists each took 1,900 MB.
 */
const MAX_BYTES_AT_ONCE = 256;

/**
 * Messages of a session have some hundred bytes and a token of at most 16 kB. A record has at most 300 kB. Decoding 2 MB takes many
 * times that much memory, and half a second of the thread that all workflows share.
 */
const MAX_MESSAGE_BYTES = 524_288;

function isTooLarge({ data }: Payload): boolean {
  if ((data?.length ?? 0) <= MAX_MESSAGE_BYTES) return false;
  // Shards have many sessions or people.
  return ![BATCH_WORKFLOW, CAPTURE_BATCH_WORKFLOW, CLAIMS_WORKFLOW].includes(workflowInfo().workflowType);
}

/** The workflow bundle uses it: `bundleWorkflowCode({ payloadConverterPath })`. */
export const payloadConverter: DefaultPayloadConverter = new MarkingPayloadConverter();
