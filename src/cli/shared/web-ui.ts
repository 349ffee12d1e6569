import { isLoopback } from '../../secrets/index.js';

/**
 * Where Temporal's Web UI shows a workflow: below `TEMPORAL_INCODE_UI_URL`, at Temporal Cloud, or at a local dev server with the
 * default ports.
 *
 * @returns `undefined` where nobody has said it
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
  if (/\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(address)) return 'https://cloud.temporal.io';
  // The ports of `temporal server start-dev` and of `temporal-incode dev`.
  return isLoopback(address) && address.endsWith(':7233') ? 'http://localhost:8233' : undefined;
}
