import type { Client } from '@temporalio/client';
import { checkPlaintext, requiresEncryption } from '../codec/index.js';
import { addressOf } from './connectivity.js';
import { TemporalConfigurationError } from './temporal-errors.js';

/**
 * Refuses a client that would send plaintext to another machine. A client with any codec passes: the codec is the caller's choice.
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
