import type { OnboardingClient } from '../../client/index.js';
import type { LocalTemporalServer } from '../../testing/index.js';
import { webUiLink } from '../shared/web-ui.js';
import { onboardingGateway } from './gateway.js';

/** Starts a gateway with its console, for this machine only. */
export async function startLocalGateway(
  client: OnboardingClient,
  { address, namespace, uiUrl }: Pick<LocalTemporalServer, 'address' | 'namespace' | 'uiUrl'>,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const env = uiUrl === null ? {} : { TEMPORAL_INCODE_UI_URL: uiUrl };
  const webUi = webUiLink({ address, namespace, workflowId: '' }, env) ?? null;
  const gateway = onboardingGateway(client, { tokens: null, webUi });
  const { url } = await gateway.listen({ port });
  return { url, close: () => gateway.close() };
}
