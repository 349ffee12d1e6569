import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, parseObject, refuserOf } from './answer.js';
import { control } from './control.js';
import { applyFault, type PendingCall } from './fault-effects.js';
import { processRequest } from './process-request.js';
import type { AnyRoute } from './route.js';
import { ROUTES } from './routes.js';
import type { SimulatorState } from './state.js';

export function createSimulatorServer(state: SimulatorState): Server {
  const server = createServer((request, response) => {
    response.sendDate = state.behavior.dateHeader;
    answer(state, request, response).catch((error) => {
      // The caller has disconnected, or the simulator has a bug.
      if (response.headersSent || response.destroyed) response.destroy();
      else write(response, refuserOf(state.clock, request.url ?? '/', state.behavior)(500, String(error)));
    });
  });
  // Longer than clients keep an idle connection, so that the server never closes one while a client sends a request.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(state: SimulatorState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const arrivedAt = state.clock.now();
  if (isFromForeignPage(request)) {
    return write(response, { status: 403, body: { error: 'Web pages of other origins may not use the simulator' } });
  }
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  const body = await readBody(request, state.behavior.maxRequestBytes);
  if (path.startsWith('/_simulator/')) {
    return write(response, await control(state, request.method ?? 'GET', path, query, body?.toString('utf8')));
  }

  const isUnderZero = path.startsWith('/0/');
  const route = routeOf(path);
  const refuse = refuserOf(state.clock, path, state.behavior);
  if (!route) return write(response, refuse(404, 'No such resource'));
  const session = sessionOf(state, route, request, query);
  const token = String(request.headers['x-incode-hardware-id']);
  const interviewId =
    session?.interviewId ?? state.sessions.tokens.ownerOf(token) ?? query.get(route.idParameter ?? 'id');
  const externalCustomerId = session?.externalCustomerId ?? referenceOf(route, body);
  const fault = state.faults.strike({ operation: route.operation, interviewId, externalCustomerId });
  const call = state.log.add({
    at: arrivedAt,
    operation: route.operation,
    interviewId,
    externalCustomerId,
    httpStatus: null,
    effectAt: null,
    fault: fault?.kind ?? null,
  });
  const pending: PendingCall = {
    response,
    clock: state.clock,
    refuse,
    effect: async () => {
      if (state.closed) return refuse(503, 'The simulator is closed');
      const { method, headers } = request;
      const whole = { route, method, headers, query, body, isUnderZero, session, refuse };
      const result = await processRequest(state, whole);
      if (result.status < 300) call.effectAt = state.clock.now();
      return result;
    },
    write: (result) => {
      // A caller that has disconnected gets no answer.
      if (!response.destroyed) call.httpStatus = result.status;
      write(response, result);
    },
    limitMs: 30_000 * state.timeScale,
  };
  if (fault) return applyFault(pending, fault);
  pending.write(await (state.latencyMs > 0 ? state.clock.after(state.latencyMs, pending.effect) : pending.effect()));
}

/** Incode's clients also use `/0/omni/…`, except with executive tokens, and `/omni/get/score/?id=`. */
function routeOf(path: string): AnyRoute | undefined {
  const plain = path.replace(/^\/0(?=\/omni\/)/, '').replace(/\/$/, '');
  const route = ROUTES.get(plain);
  return route?.token === 'executive' && plain !== path.replace(/\/$/, '') ? undefined : route;
}

/** The reference of the session that a start wants to open. */
function referenceOf(route: AnyRoute, body: Buffer | undefined): string | null {
  if (route.operation !== 'start' || !body) return null;
  const reference = parseObject(body.toString('utf8'))?.externalCustomerId;
  return typeof reference === 'string' ? reference : null;
}

/** Detects requests of web pages from other origins, which browsers send to this machine. Programs send neither header. */
function isFromForeignPage({ headers: { origin, host, ...headers } }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const isLocal = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '');
  return origin !== undefined && !(isLocal && origin === `http://${host}`);
}

function sessionOf({ sessions }: SimulatorState, route: AnyRoute, request: IncomingMessage, query: URLSearchParams) {
  const token = request.headers['x-incode-hardware-id'];
  if (typeof token !== 'string' || route.token === 'none') return undefined;
  const own = route.token === 'session' ? sessions.byToken(token) : undefined;
  if (own) return own;
  const isExecutive = sessions.tokens.isExecutive(token);
  return isExecutive ? sessions.find(query.get(route.idParameter ?? 'id') ?? '') : undefined;
}

/** @returns `undefined` if the body is larger than Incode accepts */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  if (request.method === 'GET') {
    request.resume();
    return Buffer.alloc(0);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
  }
  return size > maxBytes ? undefined : Buffer.concat(chunks);
}

function write(response: ServerResponse, { status, body, headers }: Answer): void {
  if (response.destroyed) return;
  // 204 and 304 have no body.
  const isEmpty = status === 204 || status === 304;
  const text = isEmpty ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(!isEmpty && { 'content-length': Buffer.byteLength(text) }),
    ...headers,
  });
  response.end(text);
}
