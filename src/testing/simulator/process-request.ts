import type { IncomingHttpHeaders } from 'node:http';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { type Answer, ok, parseObject, type Refuse } from './answer.js';
import type { RequiredHeader } from './behavior.js';
import { type AnyRoute, isForSession, type RouteCall } from './route.js';
import type { SimulatedSession } from './session.js';
import type { SimulatorState } from './state.js';

/** A request whose body has arrived. */
export interface SimulatedRequest {
  route: AnyRoute;
  method: string | undefined;
  headers: IncomingHttpHeaders;
  query: URLSearchParams;
  /** `undefined` if it is larger than Incode accepts. */
  body: Buffer | undefined;
  /** Whether the path begins with `/0/`. */
  isUnderZero: boolean;
  /** The session that the token or the query names. */
  session: SimulatedSession | undefined;
  refuse: Refuse;
}

/** Handles a request like Incode. The checks come in this order: key, token, session, rate limit, method, headers, size, parameters. */
export async function processRequest(state: SimulatorState, request: SimulatedRequest): Promise<Answer> {
  const { route, headers, query, refuse } = request;
  const { behavior, sessions, timeScale } = state;
  const isKeyMissing = headers['x-api-key'] === undefined && !behavior.requiredHeaders.includes('x-api-key');
  if (!isKeyMissing && !state.apiKeys.has(String(headers['x-api-key']))) {
    return refuse(behavior.apiKeyRefusal, 'Wrong API key');
  }
  const named = authenticate(state, request);
  if (named && 'status' in named) return named;
  const limited = state.limiter?.take(route.operation);
  if (limited) return refuse(429, 'Too many requests', { headers: limited });

  const wrong = refuseForm(request, behavior.requiredHeaders);
  if (wrong) return wrong;
  const { body } = request;
  if (body === undefined) return refuse(413, 'More than 10 MB');
  const fields = route.takesImage || route.method === 'GET' ? {} : parseObject(body.toString('utf8'));
  if (!fields) return refuse(400, 'The body must be a JSON object');
  const call: RouteCall = {
    query,
    body: fields,
    bytes: body,
    refuse,
    sessions,
    timeScale,
    behavior,
    scripted: ({ interviewId, externalCustomerId }, sha256) =>
      state.scripts.strike({
        operation: route.operation,
        interviewId,
        externalCustomerId,
        ...omitUndefined({ sha256 }),
      }),
  };
  if (!isForSession(route)) return route.handle(call);
  if (!named) throw new Error('Refused above');
  return route.handle(named, call);
}

/** @returns the session that the call is about, `undefined` if it needs none, or the refusal */
function authenticate(state: SimulatorState, request: SimulatedRequest): SimulatedSession | Answer | undefined {
  const { route, session, headers, query, refuse } = request;
  const { behavior, sessions } = state;
  if (route.token === 'none') return undefined;
  const isExecutive = sessions.tokens.isExecutive(String(headers['x-incode-hardware-id']));
  const wrongToken = () => refuse(behavior.tokenRefusal, 'The token is missing, wrong or has expired');
  if (!isForSession(route)) return isExecutive ? undefined : wrongToken();

  const id = route.idParameter && query.get(route.idParameter);
  if (!session) {
    if (!isExecutive) return wrongToken();
    if (!id) return refuse(400, `${route.idParameter ?? 'id'} is required`);
    const isDeletedBefore = route.operation === 'deleteSession' && behavior.secondDelete === 'accepted';
    return isDeletedBefore ? ok({ success: true }) : refuse(404, 'No such session');
  }
  if (id && id !== session.interviewId && behavior.foreignId !== 'ignored') {
    if (behavior.foreignId === 'refused') return refuse(behavior.tokenRefusal, 'The token is for another session');
    return sessions.find(id) ?? refuse(404, 'No such session');
  }
  if (route.idParameter && !id && behavior.missingId === 'refused') {
    return refuse(400, `${route.idParameter} is required`);
  }
  return session;
}

function refuseForm(
  { route, method, headers, body, isUnderZero, refuse }: SimulatedRequest,
  required: readonly RequiredHeader[],
): Answer | undefined {
  const isOtherMethod = isUnderZero && route.methodUnderZero !== undefined && method === route.methodUnderZero;
  if (method !== route.method && !isOtherMethod) {
    return refuse(405, `Use ${route.method}`, { headers: { allow: route.method } });
  }
  if (!acceptsJson(headers.accept)) return refuse(406, 'Answers are application/json');
  if (required.includes('api-version') && headers['api-version'] !== '1.0') {
    return refuse(400, 'api-version must be 1.0');
  }
  const needsType =
    required.includes('content-type') || (required.includes('content-type-of-body') && body?.length !== 0);
  const expected = route.takesImage ? 'image/' : 'application/json';
  if (!needsType || headers['content-type']?.toLowerCase().startsWith(expected)) return undefined;
  const onGet = required.includes('content-type') ? ', on GET too' : '';
  return refuse(400, `Content-Type must be ${route.takesImage ? 'that of the image' : expected}${onGet}`);
}

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /application\/(json|\*)|\*\/\*/.test(accept);
}
