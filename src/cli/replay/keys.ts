import type { Payload } from '@temporalio/common';
import { encryptionCodec, type KeyRing } from '../../codec/index.js';
import type { RecordedHistory } from '../../worker/replay.js';
import { CliError } from '../shared/exit.js';

const KEY_ID = 'encryption-key-id';
const SIGNALED = 'workflowExecutionSignaledEventAttributes';

/**
 * Yields histories that the keys can decrypt.
 *
 * @throws CliError for any other history, because it would look like a replay failure
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
            'The history is encrypted, and this process has no keys. Set TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE as for the workers.',
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
 * Finds one payload per key anywhere in a history, also in fields that later versions of Temporal add. Skips signals,
 * because the workflow ignores a signal that it cannot read.
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

/** Bytes from the client, or base64 from JSON. */
function bytes(value: unknown): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from((value ?? []) as Uint8Array);
}
