import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { type EncryptionOptions, encryptionCodec } from './encryption-codec.js';
import type { KeyRing } from './keys.js';

export { type EncryptionOptions, encryptionCodec } from './encryption-codec.js';
export {
  checkPlaintext,
  encryptionEnvironment,
  keysFromEnvironment,
  PlaintextError,
  requiresEncryption,
} from './environment.js';
export { type EncryptionKey, EncryptionKeyError, type KeyRing, keyRing, keyRingFile } from './keys.js';

/**
 * The failure converter for `bundleWorkflowCode({ workflowsPath, failureConverterPath })`, so that a prebuilt bundle encrypts failures
 * too. A worker with `workflowsPath` takes it from the data converter.
 */
export const failureConverterPath: string = fileURLToPath(new URL('./failure-converter.js', import.meta.url));

/**
 * A data converter that encrypts payloads and failures. Use the same keys for workers and clients.
 *
 * @example
 * const client = new Client({ connection, dataConverter: encryptedDataConverter(keyRing('2026-01:' + base64Key)) });
 */
export function encryptedDataConverter(keys: KeyRing, options: EncryptionOptions = {}): DataConverter {
  return {
    payloadCodecs: [encryptionCodec(keys, options)],
    failureConverterPath,
  };
}
