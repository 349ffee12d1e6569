import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from '@temporalio/worker';
import { type EncryptionOptions, encryptedDataConverter, type KeyRing } from '../codec/index.js';
import { workerCodec } from '../codec/worker-codec.js';

/** The bundle that `npm run build` creates. Workers start without webpack and all run the same code. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

/** The same bundle, with encrypted failures. */
const ENCRYPTING_BUNDLE = fileURLToPath(new URL('../workflow-bundle-encrypting.js', import.meta.url));

interface WorkflowCodeOptions extends EncryptionOptions {
  /** Called for each payload that cannot be decrypted. @default no callback */
  onUnreadable?: (why: string, workflowId: string) => void;
}

/** The workflow bundle, and the converter for payloads. */
export function workflowCode(
  keys: KeyRing | null,
  { onUnreadable, ...options }: WorkflowCodeOptions = {},
): Pick<WorkerOptions, 'workflowBundle' | 'dataConverter'> {
  if (keys === null) return { workflowBundle: { codePath: WORKFLOW_BUNDLE } };
  const { payloadCodecs = [], ...converter } = encryptedDataConverter(keys, options);
  return {
    workflowBundle: { codePath: ENCRYPTING_BUNDLE },
    dataConverter: { ...converter, payloadCodecs: payloadCodecs.map((codec) => workerCodec(codec, onUnreadable)) },
  };
}
