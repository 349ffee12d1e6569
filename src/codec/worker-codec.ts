import type { Payload, PayloadCodec, WorkflowSerializationContext } from '@temporalio/common';
import { encode } from '@temporalio/common/lib/encoding.js';
import { REFUSED_PLAINTEXT } from '../contract/encodings.js';
import { isEncrypted } from './encryption-codec.js';
import { EncryptionKeyError } from './keys.js';

/**
 * A codec that fails, fails the workflow task, at each retry. So a worker's hands on what it cannot decrypt, and the workflow
 * decides: it passes over a signal, refuses an update or start, and waits for the key of what it has written itself
 * (`workflows/unreadable.ts`). Activities have no such choice: for them it fails.
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
