import type { FastifyInstance } from 'fastify';
import type { OnboardingClient } from '../client/index.js';
import { overviewOf } from '../client/list/overview.js';
import { route } from './guard.js';
import type { GatewaySettings } from './options.js';
import type { About, Overview } from './types.js';

/** However many people watch, the counts are taken this often. */
const FRESH_MS = 2_000;

export function overviewRoutes(app: FastifyInstance, { client, webUi }: GatewaySettings): void {
  route(app, 'about', async (_request, _reply, { caller }): Promise<About> => {
    return { name: caller?.name ?? '', scopes: caller?.scopes ?? [], webUi };
  });

  const overview = shared(client);
  route(app, 'getOverview', async (): Promise<Overview> => overview());
}

/** One answer for all who ask at the same time or soon after. */
function shared(client: OnboardingClient): () => Promise<Overview> {
  const take = overviewOf(client.temporal);
  let last: { answer: Promise<Overview>; takenAt: number } | undefined;
  return () => {
    if (last && performance.now() - last.takenAt < FRESH_MS) return last.answer;
    // The time counts from the end. While a slow server counts, nobody begins another count.
    const taken = { answer: take(), takenAt: Number.POSITIVE_INFINITY };
    taken.answer.then(
      () => {
        taken.takenAt = performance.now();
      },
      () => {
        if (last === taken) last = undefined;
      },
    );
    last = taken;
    return taken.answer;
  };
}
