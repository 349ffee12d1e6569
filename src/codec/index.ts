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
 * For `bundleWorkflowCode({ workflowsPath, failureConverterPath })`: a bundle that is made beforehand has to encrypt the messages of failures
 * too. A worker that is given `workflowsPath` takes it from the data converter.
 */
export const failureConverterPath: string = fileURLToPath(new URL('./failure-converter.js', import.meta.url));

/** For `new Client({ dataConverter })`, `Worker.create({ dataConverter })` and whatever else reads or writes what these workers do. */
export function encryptedDataConverter(keys: KeyRing, options: EncryptionOptions = {}): DataConverter {
  return {
    payloadCodecs: [encryptionCodec(keys, options)],
    failureConverterPath,
  };
}
