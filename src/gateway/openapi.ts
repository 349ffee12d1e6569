import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/** What `npm run schema` makes of the operations and their bodies. */
const FILE = new URL('../../schema/openapi.json', import.meta.url);

/** The description needs no token: it is the same for every gateway of this version. */
export function openApiRoute(app: FastifyInstance): void {
  let text: string | undefined;
  app.get('/v1/openapi.json', async (_request, reply) => {
    text ??= readFileSync(FILE, 'utf8');
    return reply.type('application/json').send(text);
  });
}
