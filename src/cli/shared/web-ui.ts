import { isLoopback } from '../../network/loopback.js';
import { isCloudAddress } from '../../temporal/address.js';

/**
 * Link to a workflow in Temporal's Web UI: at `TEMPORAL_INCODE_UI_URL`, Temporal Cloud, or a local dev server with default ports.
 *
 * @returns `undefined` if the address of the Web UI is unknown
 */
export function webUiLink(
  { address, namespace, workflowId }: { address: string; namespace: string; workflowId: string },
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const base = env.TEMPORAL_INCODE_UI_URL?.replace(/\/+$/, '') || knownBase(address);
  const place = `namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  return base && `${base}/${place}`;
}

function knownBase(address: string): string | undefined {
  if (isCloudAddress(address)) return 'https://cloud.temporal.io';
  // The ports of `temporal server start-dev` and of `temporal-incode dev`.
  return isLoopback(address) && address.endsWith(':7233') ? 'http://localhost:8233' : undefined;
}
