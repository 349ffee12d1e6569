import type { OnboardingClient } from '../../client/index.js';
import type { GatewayOptions } from '../../gateway/options.js';
import { createGateway, type Gateway } from '../../gateway/server.js';
import { ANSWER_WITHIN_MS, cachedReachability } from '../../monitoring/reachability.js';

/** A gateway that is ready while Temporal answers. */
export function onboardingGateway(
  client: OnboardingClient,
  options: Omit<GatewayOptions, 'client' | 'ready'>,
): Gateway {
  const { temporal } = client;
  return createGateway({
    ...options,
    client,
    // Cached, because anyone who reaches the gateway can ask, and each check is a request to Temporal.
    ready: cachedReachability(() => {
      const { namespace } = temporal.options;
      return temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
        temporal.workflowService.describeNamespace({ namespace }),
      );
    }),
  });
}
