import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { omitUndefined } from '../contract/omit-undefined.js';
import { authentication, type Caller, checkScope } from './access.js';
import { queryOf } from './body.js';
import type { GatewaySubject } from './log.js';
import { OPERATIONS, type Operation, type OperationName } from './operations.js';
import type { GatewaySettings } from './options.js';
import { GatewayProblem } from './problems.js';
import type { Problem } from './types.js';

/** What the gateway knows about a request to an operation, for the audit log. */
export interface RequestContext {
  startedAt: number;
  caller: Caller | undefined;
  subject: GatewaySubject;
  problem?: Problem;
  error?: unknown;
}

declare module 'fastify' {
  interface FastifyRequest {
    gateway: RequestContext | null;
  }
  interface FastifyContextConfig {
    operation?: OperationName;
  }
}

/** Requests per second from an address that sends no valid token. A guess among 2^256 tokens never succeeds, but it costs CPU. */
const UNKNOWN_PER_SECOND = 20;

/** Authenticates each request, limits its rate, checks its scope, and logs it: in this order, and before the body is read. */
export async function guardOperations(app: FastifyInstance, settings: GatewaySettings): Promise<void> {
  const { tokens, requestsPerSecond, log } = settings;
  const authenticate = authentication(tokens);
  await app.register(rateLimit, { global: false });
  const limit = app.createRateLimit({
    timeWindow: 1_000,
    max: (request: FastifyRequest) => (request.gateway?.caller ? requestsPerSecond : UNKNOWN_PER_SECOND),
    keyGenerator: ({ gateway, ip }: FastifyRequest) => (gateway?.caller ? `token ${gateway.caller.name}` : `ip ${ip}`),
  });
  app.decorateRequest('gateway', null);

  app.addHook('onRequest', async (request, reply) => {
    const context: RequestContext = { startedAt: performance.now(), caller: undefined, subject: {} };
    request.gateway = context;
    audit(request, reply, log);
    context.caller = authenticate(request.headers);
    const used = await limit(request);
    if (!used.isAllowed && used.isExceeded) {
      const headers = { 'retry-after': String(used.ttlInSeconds) };
      throw new GatewayProblem('TooManyRequests', 'Send fewer requests per second', { headers });
    }
    const { operation } = request.routeOptions.config;
    if (operation) checkScope(context.caller, OPERATIONS[operation].scopes);
  });
}

/** The caller was gone before the answer. Proxies use this number for it. */
const CALLER_GONE = 499;

/** Adds a line to the audit log once the request is over, also if the caller is gone by then. */
function audit(request: FastifyRequest, reply: FastifyReply, log: GatewaySettings['log']): void {
  const { operation } = request.routeOptions.config;
  if (!operation) return;
  reply.raw.once('close', () => {
    const { startedAt, caller, subject, problem, error } = request.gateway as RequestContext;
    const isGone = !reply.raw.headersSent;
    const name = isGone ? 'CallerGone' : problem?.type.slice(problem.type.lastIndexOf(':') + 1);
    try {
      log({
        operation,
        caller: caller?.name ?? 'nobody',
        httpStatus: isGone ? CALLER_GONE : reply.raw.statusCode,
        durationMs: Math.round(performance.now() - startedAt),
        ...subject,
        ...omitUndefined({ problem: name, error }),
      });
    } catch {
      // The log belongs to the host. The request is over.
    }
  });
}

/** Handles an operation. What it returns becomes the JSON body. */
export type Handler = (request: FastifyRequest, reply: FastifyReply, context: RequestContext) => Promise<unknown>;

/** Adds the route of an operation. */
export function route(app: FastifyInstance, operation: OperationName, handler: Handler): void {
  const { method, path } = OPERATIONS[operation];
  app.route({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    config: { operation },
    handler: async (request, reply) => {
      const context = request.gateway;
      if (!context) throw new Error(`${operation} is not guarded`);
      reply.header('cache-control', 'no-store');
      const { query = [] }: Operation = OPERATIONS[operation];
      queryOf(request, query);
      return handler(request, reply, context);
    },
  });
}
