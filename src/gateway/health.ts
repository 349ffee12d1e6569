import type { FastifyPluginAsync } from 'fastify';
import type { GatewaySettings } from './options.js';

// Probes usually give up after a few seconds.
const READY_TIMEOUT_MS = 2_000;

export function healthRoutes({ ready }: Pick<GatewaySettings, 'ready'>): FastifyPluginAsync {
  return async (app) => {
    app.get('/healthz', async () => ({ alive: true }));
    app.get('/readyz', async (_request, reply) => {
      const isReady = await inTime(ready);
      return reply.code(isReady ? 200 : 503).send({ ready: isReady });
    });
  };
}

async function inTime(ready: () => Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_TIMEOUT_MS);
  });
  try {
    return (await Promise.race([ready(), late])) === true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
