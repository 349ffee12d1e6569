import type { FastifyPluginAsync } from 'fastify';
import { withTimeLimit } from '../network/time-limit.js';
import type { GatewaySettings } from './options.js';

// Probes usually give up after a few seconds.
const READY_TIMEOUT_MS = 2_000;

export function healthRoutes({ ready }: Pick<GatewaySettings, 'ready'>): FastifyPluginAsync {
  return async (app) => {
    app.get('/healthz', async () => ({ alive: true }));
    app.get('/readyz', async (_request, reply) => {
      const isReady = (await withTimeLimit(READY_TIMEOUT_MS, async () => ready()).catch(() => false)) === true;
      return reply.code(isReady ? 200 : 503).send({ ready: isReady });
    });
  };
}
