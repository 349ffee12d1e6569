import type { Payload } from '@temporalio/common';
import { encryptionCodec, type KeyRing } from '../../codec/index.js';
import type { RecordedHistory } from '../../worker/replay.js';
import { CliError } from '../shared/exit.js';

const KEY_ID = 'encryption-key-id';
const SIGNALED = 'workflowExecutionSignaledEventAttributes';

/**
 * Passes on histories that the keys open.
 *
 * @throws CliError for another one: it would look as if its workflow did not replay
 */
export async function* readable(
  histories: AsyncIterable<RecordedHistory>,
  keys: KeyRing | null,
): AsyncGenerator<RecordedHistory> {
  for await (const one of histories) {
    try {
      for (const payload of oneOfEachKey(one.history).values()) {
        if (!keys) {
          throw new Error(
            'It is encrypted, and there are no keys here. Set TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE as the workers have it.',
          );
        }
        await encryptionCodec(keys).decode([payload]);
      }
    } catch (error) {
      throw new CliError(`${one.workflowId}: ${error instanceof Error ? error.message : error}`);
    }
    yield one;
  }
}

/**
 * Wherever they stand in it: in inputs, results, failures, and in what later versions of Temporal add. Not in signals: one that could
 * not be read was passed over, and is again.
 */
function oneOfEachKey(value: unknown, found = new Map<string, Payload>()): Map<string, Payload> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found;
  const { metadata, data } = value as { metadata?: Record<string, unknown> | null; data?: unknown };
  const keyId = metadata?.[KEY_ID];
  if (keyId === undefined) {
    for (const [name, part] of Object.entries(value)) if (name !== SIGNALED) oneOfEachKey(part, found);
  } else if (!found.has(String(bytes(keyId)))) {
    const asBytes = Object.entries(metadata ?? {}).map(([name, part]) => [name, bytes(part)]);
    found.set(String(bytes(keyId)), { metadata: Object.fromEntries(asBytes), data: bytes(data) });
  }
  return found;
}

/** As the client has them, or as base64 in JSON. */
function bytes(value: unknown): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from((value ?? []) as Uint8Array);
}
