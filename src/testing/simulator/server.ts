import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, errorAnswer, parseObject } from './answer.js';
import { control } from './control.js';
import { applyFault, type Exchange } from './fault-effects.js';
import type { Faults } from './faults.js';
import type { TokenBucket } from './rate-limit.js';
import { type AnyRoute, ROUTES } from './routes.js';
import type { Session, Sessions } from './sessions.js';
import type { Call, Delivery, Fault, RateLimit, WebhookTarget } from './types.js';

/** What the server works on; the simulator's methods and its control API change it. */
export interface World {
  sessions: Sessions;
  executives: Map<string, number>;
  faults: Faults;
  apiKeys: Set<string>;
  bucket: TokenBucket | undefined;
  timeScale: number;
  latencyMs: number;
  calls: Call[];
  deliveries: Delivery[];
  setRateLimit(limit: RateLimit | undefined): void;
  setWebhook(target: WebhookTarget | undefined): void;
}

/** Incode's limit for a request. */
export const MAX_REQUEST_BYTES = 10 * 1_024 * 1_024;

/** The log is bounded, for simulators that run for days. */
const MAX_CALLS = 200_000;

export function createSimulatorServer(world: World): Server {
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: String(error) }));
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
    const { status, body: answered } = await control(world, request.method ?? 'GET', path, body);
    return write(response, { status, body: answered });
  }

  const route = ROUTES.get(path);
  if (!route) return write(response, errorAnswer(404, 'No such resource', path));
  const session = sessionOf(world, route, request, query);
  const token = String(request.headers['x-incode-hardware-id']);
  const interviewId = session?.interviewId ?? world.sessions.ownerOf(token) ?? query.get(route.idParameter ?? 'id');
  const fault = world.faults.strike(route.operation, interviewId);
  const call: Call = {
    at: arrivedAt,
    operation: route.operation,
    interviewId,
    httpStatus: null,
    fault: fault?.kind ?? null,
  };
  world.calls.push(call);
  if (world.calls.length > MAX_CALLS) world.calls.splice(0, MAX_CALLS / 2);
  const exchange: Exchange = {
    response,
    effect: () => process(world, route, request, session, { path, query, body }),
    write: (given) => {
      call.httpStatus = given.status;
      write(response, given);
    },
    limitMs: 30_000 * world.timeScale,
  };
  const faultOrLatency: Fault | undefined =
    fault ?? (world.latencyMs > 0 ? { kind: 'latency', ms: world.latencyMs } : undefined);
  if (faultOrLatency) return applyFault(exchange, faultOrLatency, path);
  exchange.write(await exchange.effect());
}

/** Everything that Incode does with a request, its refusals in their order: key, method, headers, token, rate, session. */
async function process(
  world: World,
  route: AnyRoute,
  request: IncomingMessage,
  session: Session | undefined,
  { path, query, body }: { path: string; query: URLSearchParams; body: string | undefined },
): Promise<Answer> {
  const { headers } = request;
  if (!world.apiKeys.has(String(headers['x-api-key']))) return errorAnswer(403, 'Wrong API key', path);
  if (request.method !== route.method) return errorAnswer(405, `Use ${route.method}`, path);
  if (headers['api-version'] !== '1.0') return errorAnswer(400, 'api-version must be 1.0', path);
  if (!headers['content-type']?.startsWith('application/json')) {
    return errorAnswer(400, 'Content-Type must be application/json, on GET too', path);
  }
  if (!acceptsJson(headers.accept)) return errorAnswer(406, 'Answers are application/json', path);
  if (body === undefined) return errorAnswer(413, 'More than 10 MB', path);
  const fields = route.method === 'POST' ? parseObject(body) : {};
  if (!fields) return errorAnswer(400, 'The body must be a JSON object', path);
  const call = { path, query, body: fields, ...world };
  if (route.token === 'none') return route.handle(call);

  if (!session) return refusal(world, route, headers['x-incode-hardware-id'], query, path);
  const limited = route.limited && world.bucket?.take();
  if (limited) return errorAnswer(429, 'Too many requests', path, limited);
  const id = route.idParameter && query.get(route.idParameter);
  if (route.idParameter && !id) return errorAnswer(400, `${route.idParameter} is required`, path);
  if (id && id !== session.interviewId) return errorAnswer(401, 'The token is for another session', path);
  return route.handle(session, call);
}

function refusal({ executives }: World, route: AnyRoute, token: unknown, query: URLSearchParams, path: string): Answer {
  const isExecutive = Number(executives.get(String(token))) > Date.now();
  if (!isExecutive) return errorAnswer(401, 'The token is missing, wrong or has expired', path);
  const id = route.idParameter && query.get(route.idParameter);
  return id
    ? errorAnswer(404, 'No such session', path)
    : errorAnswer(400, `${route.idParameter ?? 'id'} is required`, path);
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
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /application\/(json|\*)|\*\/\*/.test(accept);
}
