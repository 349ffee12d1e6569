import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { encryptionCodec } from './encryption-codec.js';
import type { KeyRing } from './keys.js';

export { encryptionCodec } from './encryption-codec.js';
export { checkPlaintext, encryptionEnvironment, keysFromEnvironment, PlaintextError } from './environment.js';
export { type EncryptionKey, EncryptionKeyError, type KeyRing, keyRing, keyRingFile } from './keys.js';

/** For `new Client({ dataConverter })` and whatever else reads or writes what these workers do. */
export function encryptedDataConverter(keys: KeyRing): DataConverter {
  return {
    payloadCodecs: [encryptionCodec(keys)],
    failureConverterPath: fileURLToPath(new URL('./failure-converter.js', import.meta.url)),
  };
}
