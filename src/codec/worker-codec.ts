import type { Payload, PayloadCodec, WorkflowSerializationContext } from '@temporalio/common';
import { REFUSED_PLAINTEXT } from '../contract/encodings.js';
import { encode } from '../temporal/sdk-internals.js';
import { isEncrypted } from './encryption-codec.js';
import { EncryptionKeyError } from './keys.js';

/**
 * Wraps a codec for workers. A codec that throws fails the workflow task on every retry. This one passes an unreadable payload on, and
 * the workflow decides: it skips a signal, refuses an update or start, and waits for the key of its own payloads
 * (`workflows/unreadable.ts`). For activities it throws.
 */
export function workerCodec(
  codec: PayloadCodec,
  onUnreadable: (why: string, workflowId: string) => void = () => undefined,
): PayloadCodec {
  const decodeOne = async (payload: Payload, context: WorkflowSerializationContext): Promise<Payload> => {
    try {
      const [decoded = payload] = await codec.decode([payload], context);
      return decoded;
    } catch (error) {
      if (!(error instanceof EncryptionKeyError)) throw error;
      onUnreadable(error.message, context.workflowId);
      return isEncrypted(payload) ? payload : { metadata: { encoding: encode(REFUSED_PLAINTEXT) } };
    }
  };
  return {
    encode: (payloads, context) => codec.encode(payloads, context),
    decode: (payloads, context) =>
      context?.type === 'workflow'
        ? Promise.all(payloads.map((payload) => decodeOne(payload, context)))
        : codec.decode(payloads, context),
  };
}
