import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, errorAnswer, parseObject } from './answer.js';
import type { CallLog } from './call-log.js';
import { control } from './control.js';
import { applyFault, delay, type Exchange } from './fault-effects.js';
import type { Faults } from './faults.js';
import type { TokenBucket } from './rate-limit.js';
import { type AnyRoute, ROUTES } from './routes.js';
import type { Session, Sessions } from './sessions.js';
import type { Delivery, RateLimit, WebhookTarget } from './types.js';

/** What the server works on; the simulator's methods and its control API change it. */
export interface World {
  sessions: Sessions;
  executives: Map<string, number>;
  faults: Faults;
  apiKeys: Set<string>;
  bucket: TokenBucket | undefined;
  timeScale: number;
  latencyMs: number;
  strictHeaders: boolean;
  log: CallLog;
  deliveries: Delivery[];
  /** Nothing takes effect any more. */
  closed: boolean;
  setApiKeys(keys: string[]): void;
  setRateLimit(limit: RateLimit | null): void;
  setWebhook(target: WebhookTarget | null): void;
}

/** Incode's limit for a request. */
export const MAX_REQUEST_BYTES = 10 * 1_024 * 1_024;

export function createSimulatorServer(world: World): Server {
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error) => {
      // Its caller has gone in the middle, or this is a mistake of ours.
      if (response.headersSent || response.destroyed) response.destroy();
      else write(response, errorAnswer(500, String(error), request.url ?? '/'));
    });
  });
  // Longer than clients keep an idle connection, so that it is never closed under a request of theirs.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const arrivedAt = Date.now();
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  const body = await readBody(request);
  if (path.startsWith('/_simulator/')) {
    return write(response, await control(world, request.method ?? 'GET', path, query, body));
  }

  // Incode's own clients write `/omni/get/score/?id=`.
  const route = ROUTES.get(path) ?? (path.endsWith('/') ? ROUTES.get(path.slice(0, -1)) : undefined);
  if (!route) return write(response, errorAnswer(404, 'No such resource', path));
  const session = sessionOf(world, route, request, query);
  const token = String(request.headers['x-incode-hardware-id']);
  const interviewId = session?.interviewId ?? world.sessions.ownerOf(token) ?? query.get(route.idParameter ?? 'id');
  const fault = world.faults.strike(route.operation, interviewId);
  const call = world.log.add({
    at: arrivedAt,
    operation: route.operation,
    interviewId,
    httpStatus: null,
    fault: fault?.kind ?? null,
  });
  const exchange: Exchange = {
    response,
    path,
    effect: async () =>
      world.closed
        ? errorAnswer(503, 'The simulator is closed', path)
        : process(world, route, request, session, { path, query, body }),
    write: (given) => {
      call.httpStatus = given.status;
      write(response, given);
    },
    limitMs: 30_000 * world.timeScale,
  };
  if (fault) return applyFault(exchange, fault);
  if (world.latencyMs > 0) await delay(world.latencyMs);
  exchange.write(await exchange.effect());
}

/** Everything that Incode does with a request, its refusals in their order: key, token, session, method, parameters. */
async function process(
  world: World,
  route: AnyRoute,
  request: IncomingMessage,
  session: Session | undefined,
  { path, query, body }: { path: string; query: URLSearchParams; body: string | undefined },
): Promise<Answer> {
  const { headers } = request;
  if (!world.apiKeys.has(String(headers['x-api-key']))) return errorAnswer(403, 'Wrong API key', path);
  const id = route.idParameter && query.get(route.idParameter);
  if (route.token !== 'none') {
    if (!session) return refusal(world, route, headers['x-incode-hardware-id'], id, path);
    if (id && id !== session.interviewId) return errorAnswer(401, 'The token is for another session', path);
    const limited = route.limited && world.bucket?.take();
    if (limited) return errorAnswer(429, 'Too many requests', path, limited);
  }

  if (request.method !== route.method) {
    return errorAnswer(405, `Use ${route.method}`, path, { allow: route.method });
  }
  if (!acceptsJson(headers.accept)) return errorAnswer(406, 'Answers are application/json', path);
  const missing = world.strictHeaders ? missingHeader(headers) : undefined;
  if (missing) return errorAnswer(400, missing, path);
  if (body === undefined) return errorAnswer(413, 'More than 10 MB', path);
  const fields = route.method === 'POST' ? parseObject(body) : {};
  if (!fields) return errorAnswer(400, 'The body must be a JSON object', path);
  const { sessions, executives, timeScale } = world;
  const call = { path, query, body: fields, sessions, executives, timeScale };
  if (route.token === 'none') return route.handle(call);
  if (route.idParameter && !id) return errorAnswer(400, `${route.idParameter} is required`, path);
  if (!session) throw new Error('Refused above');
  return route.handle(session, call);
}

function refusal({ executives }: World, route: AnyRoute, token: unknown, id: string | null | undefined, path: string) {
  const isExecutive = Number(executives.get(String(token))) > Date.now();
  if (!isExecutive) return errorAnswer(401, 'The token is missing, wrong or has expired', path);
  if (id) return errorAnswer(404, 'No such session', path);
  return errorAnswer(400, `${route.idParameter ?? 'id'} is required`, path);
}

function missingHeader(headers: IncomingMessage['headers']): string | undefined {
  if (headers['api-version'] !== '1.0') return 'api-version must be 1.0';
  const isJson = headers['content-type']?.toLowerCase().startsWith('application/json');
  return isJson ? undefined : 'Content-Type must be application/json, on GET too';
}

function sessionOf({ sessions, executives }: World, route: AnyRoute, request: IncomingMessage, query: URLSearchParams) {
  const token = request.headers['x-incode-hardware-id'];
  if (typeof token !== 'string' || route.token === 'none') return undefined;
  const own = route.token === 'session' ? sessions.byToken(token) : undefined;
  if (own) return own;
  const isExecutive = Number(executives.get(token)) > Date.now();
  return isExecutive ? sessions.find(query.get(route.idParameter ?? 'id') ?? '') : undefined;
}

/** @returns `undefined` if it is larger than Incode takes */
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
  // Whoever asked may have gone, and 204 and 304 have no body.
  if (response.destroyed) return;
  const isEmpty = status === 204 || status === 304;
  const text = isEmpty ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(isEmpty ? {} : { 'content-length': Buffer.byteLength(text) }),
    ...headers,
  });
  response.end(text);
}

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /application\/(json|\*)|\*\/\*/.test(accept);
}
