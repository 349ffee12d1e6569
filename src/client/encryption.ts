import type { Client } from '@temporalio/client';
import { checkPlaintext, requiresEncryption } from '../codec/index.js';
import { addressOf } from './connectivity.js';
import { TemporalConfigurationError } from './temporal-errors.js';

/**
 * A client of somebody else's may have a codec of its own, which is theirs to choose.
 *
 * @throws TemporalConfigurationError
 */
export function checkEncryption(client: Client): void {
  if (client.options.loadedDataConverter.payloadCodecs.length > 0) return;
  try {
    const address = addressOf(client);
    if (address !== undefined || requiresEncryption()) checkPlaintext(address ?? '');
  } catch (error) {
    throw new TemporalConfigurationError(error);
  }
}
