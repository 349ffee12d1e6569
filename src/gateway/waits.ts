import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Authenticate, checkScope } from './access.js';
import type { Closing } from './closing.js';
import { OPERATIONS } from './operations.js';
import { GatewayProblem, RETRY_AFTER } from './problems.js';

/** A token that was removed from the file ends the waits that it has begun after about this time. */
const ACCESS_CHECK_MS = 1_000;

export function stoppingProblem(): GatewayProblem {
  const headers = { ...RETRY_AFTER, connection: 'close' };
  return new GatewayProblem('GatewayStopping', 'Repeat the request: it has no effect twice', { headers });
}

/** Ends a wait for Temporal when nobody reads the answer any more, or nobody may. */
export class Waits {
  private readonly closing: Closing;
  private readonly authenticate: Authenticate;

  constructor(closing: Closing, authenticate: Authenticate) {
    this.closing = closing;
    this.authenticate = authenticate;
  }

  /**
   * @param work throws the signal's reason when it aborts
   * @throws GatewayProblem if the gateway stops, the caller leaves, or the caller's token is no longer valid
   */
  async during<T>(
    request: FastifyRequest,
    { raw }: FastifyReply,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const over = new AbortController();
    const leave = () => over.abort(new GatewayProblem('RequestTimeout', 'The caller is gone'));
    const forget = this.closing.onClose(() => over.abort(stoppingProblem()));
    const timer = setInterval(() => {
      try {
        this.checkAccess(request);
      } catch (error) {
        over.abort(error);
      }
    }, ACCESS_CHECK_MS).unref();
    raw.once('close', leave);
    try {
      return await work(over.signal);
    } finally {
      raw.off('close', leave);
      clearInterval(timer);
      forget();
    }
  }

  /** @throws GatewayProblem */
  private checkAccess({ headers, routeOptions }: FastifyRequest): void {
    const { operation } = routeOptions.config;
    if (operation) checkScope(this.authenticate(headers), OPERATIONS[operation].scopes);
  }
}
