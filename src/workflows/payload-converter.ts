import { DefaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { unreadable } from './unreadable.js';

/**
 * The SDK fails the workflow task if a signal, update or start cannot be read, and does so again at each retry. Here the workflow
 * gets a mark instead, and decides. What its activities have answered is no message: that must be readable.
 */
class MarkingPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext, ...rest: unknown[]): T {
    try {
      return super.fromPayload<T>(payload, context, ...(rest as []));
    } catch (error) {
      if (context?.type !== 'workflow') throw error;
      return unreadable(payload) as T;
    }
  }
}

/** For the bundle: `bundleWorkflowCode({ payloadConverterPath })`. */
export const payloadConverter: DefaultPayloadConverter = new MarkingPayloadConverter();
