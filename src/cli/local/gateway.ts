import type { Connection } from '@temporalio/client';
import type { OnboardingClient } from '../../client/index.js';
import type { GatewayOptions } from '../../gateway/options.js';
import { createGateway, type Gateway } from '../../gateway/server.js';
import { ANSWER_WITHIN_MS, cachedReachability } from '../../monitoring/reachability.js';
import { webUiLink } from '../shared/web-ui.js';
import { gatewayLists } from './gateway-lists.js';

/** A gateway that is ready while Temporal answers, and whose console links to the Web UI if that is known. */
export function onboardingGateway(
  client: OnboardingClient,
  options: Omit<GatewayOptions, 'client' | 'ready' | 'lists'>,
): Gateway {
  const { temporal } = client;
  const { address } = (temporal.connection as Connection).options;
  return createGateway({
    webUi: webUiLink({ address, namespace: temporal.options.namespace, workflowId: '' }) ?? null,
    ...options,
    client,
    lists: gatewayLists,
    // Cached, because anyone who reaches the gateway can ask, and each check is a request to Temporal.
    ready: cachedReachability(() => {
      const { namespace } = temporal.options;
      return temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
        temporal.workflowService.describeNamespace({ namespace }),
      );
    }),
  });
}
