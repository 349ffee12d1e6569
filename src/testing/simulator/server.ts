import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, parseObject, type Refuse, refuserOf } from './answer.js';
import type { RequiredHeader } from './behavior.js';
import { control } from './control.js';
import { applyFault, type PendingCall } from './fault-effects.js';
import type { AnyRoute } from './route.js';
import { ROUTES } from './routes.js';
import type { SimulatedSession } from './session.js';
import type { SimulatorState } from './state.js';

/** Incode's size limit for a request. */
const MAX_REQUEST_BYTES = 10 * 1_024 * 1_024;

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
  const body = await readBody(request);
  if (path.startsWith('/_simulator/')) {
    return write(response, await control(state, request.method ?? 'GET', path, query, body));
  }

  // Incode's clients use `/omni/get/score/?id=`.
  const route = ROUTES.get(path) ?? (path.endsWith('/') ? ROUTES.get(path.slice(0, -1)) : undefined);
  const refuse = refuserOf(state.clock, path, state.behavior);
  if (!route) return write(response, refuse(404, 'No such resource'));
  const session = sessionOf(state, route, request, query);
  const token = String(request.headers['x-incode-hardware-id']);
  const interviewId =
    session?.interviewId ?? state.sessions.tokens.ownerOf(token) ?? query.get(route.idParameter ?? 'id');
  const fault = state.faults.strike(route.operation, interviewId);
  const call = state.log.add({
    at: arrivedAt,
    operation: route.operation,
    interviewId,
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
      const result = await process(state, route, request, session, { query, body, refuse });
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

/** Detects requests of web pages from other origins, which browsers send to this machine. Programs send neither header. */
function isFromForeignPage({ headers: { origin, host, ...headers } }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const isLocal = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '');
  return origin !== undefined && !(isLocal && origin === `http://${host}`);
}

/** Handles a request like Incode. The checks come in this order: key, token, session, method, headers, parameters. */
async function process(
  state: SimulatorState,
  route: AnyRoute,
  request: IncomingMessage,
  session: SimulatedSession | undefined,
  { query, body, refuse }: { query: URLSearchParams; body: string | undefined; refuse: Refuse },
): Promise<Answer> {
  const { headers } = request;
  const { behavior } = state;
  const isKeyMissing = headers['x-api-key'] === undefined && !behavior.requiredHeaders.includes('x-api-key');
  if (!isKeyMissing && !state.apiKeys.has(String(headers['x-api-key']))) {
    return refuse(behavior.apiKeyRefusal, 'Wrong API key');
  }
  const id = route.idParameter && query.get(route.idParameter);
  let named = session;
  if (route.token !== 'none') {
    if (!session) return refuseToken(state, route, headers['x-incode-hardware-id'], id, refuse);
    if (id && id !== session.interviewId && behavior.foreignId !== 'ignored') {
      if (behavior.foreignId === 'refused') return refuse(behavior.tokenRefusal, 'The token is for another session');
      named = state.sessions.find(id);
      if (!named) return refuse(404, 'No such session');
    }
    if (route.idParameter && !id && behavior.missingId === 'refused') {
      return refuse(400, `${route.idParameter} is required`);
    }
    const limited = route.limited && state.bucket?.take();
    if (limited) return refuse(429, 'Too many requests', limited);
  }

  if (request.method !== route.method) {
    return refuse(405, `Use ${route.method}`, { allow: route.method });
  }
  if (!acceptsJson(headers.accept)) return refuse(406, 'Answers are application/json');
  const missing = missingHeader(headers, behavior.requiredHeaders);
  if (missing) return refuse(400, missing);
  if (body === undefined) return refuse(413, 'More than 10 MB');
  const fields = route.method === 'POST' ? parseObject(body) : {};
  if (!fields) return refuse(400, 'The body must be a JSON object');
  const { sessions, timeScale } = state;
  const call = { query, body: fields, refuse, sessions, timeScale, behavior };
  if (route.token === 'none') return route.handle(call);
  if (!named) throw new Error('Refused above');
  return route.handle(named, call);
}

function refuseToken(
  { sessions: { tokens }, behavior }: SimulatorState,
  route: AnyRoute,
  token: unknown,
  id: string | null | undefined,
  refuse: Refuse,
): Answer {
  if (!tokens.isExecutive(String(token)))
    return refuse(behavior.tokenRefusal, 'The token is missing, wrong or has expired');
  if (id) return refuse(404, 'No such session');
  return refuse(400, `${route.idParameter ?? 'id'} is required`);
}

function missingHeader(headers: IncomingMessage['headers'], required: readonly RequiredHeader[]): string | undefined {
  if (required.includes('api-version') && headers['api-version'] !== '1.0') return 'api-version must be 1.0';
  const isJson = headers['content-type']?.toLowerCase().startsWith('application/json');
  return isJson || !required.includes('content-type') ? undefined : 'Content-Type must be application/json, on GET too';
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
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (request.method === 'GET') {
    request.resume();
    return '';
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return size > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
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

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /application\/(json|\*)|\*\/\*/.test(accept);
}
